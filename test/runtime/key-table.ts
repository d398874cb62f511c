// Rows of the pool's table: what clouds answer, and what becomes of the key that was asked. Bodies and headers are as the
// clouds document and send them.

import { ANTHROPIC, GROQ, OLLAMA, OPENAI, OPENROUTER, type Cloud, type CloudAnswer } from "./key-cloud.ts";

export interface Row {
  readonly name: string;
  readonly cloud: Cloud;
  readonly answer: CloudAnswer;
  /** The keys that are tried, in order. */
  readonly tried: readonly number[];
  /** What the first key is then, and in how many seconds it is back. */
  readonly state: string;
  readonly backInS?: number | null;
  /** What it fails with, where it does. */
  readonly code?: string;
}

export const openai = (message: string, rest: object = {}) => ({ error: { message, param: null, ...rest } });
export const anthropic = (type: string, message: string) => ({ type: "error", error: { type, message } });
export const openrouter = (code: number, message: string, metadata: object = {}) => {
  return { error: { code, message, metadata }, user_id: "user_1" };
};

export const KEY_REFUSED: readonly Row[] = [
  {
    name: "OpenAI does not know the key",
    cloud: OPENAI,
    answer: {
      status: 401,
      body: openai(
        "Incorrect API key provided: sk-live-*cdef. You can find your API key at https://platform.openai.com/account/api-keys.",
        { type: "invalid_request_error", code: "invalid_api_key" },
      ),
    },
    tried: [0, 1],
    state: "suspect",
    backInS: 60,
  },
  {
    name: "Anthropic does not know the key",
    cloud: ANTHROPIC,
    answer: { status: 401, body: anthropic("authentication_error", "invalid x-api-key") },
    tried: [0, 1],
    state: "suspect",
    backInS: 60,
  },
  {
    name: "Groq does not know the key",
    cloud: GROQ,
    answer: {
      status: 401,
      body: openai("Invalid API Key", { type: "invalid_request_error", code: "invalid_api_key" }),
    },
    tried: [0, 1],
    state: "suspect",
    backInS: 60,
  },
  {
    name: "Ollama Cloud does not know the key",
    cloud: OLLAMA,
    answer: { status: 401, body: { error: "unauthorized" } },
    tried: [0, 1],
    state: "suspect",
    backInS: 60,
  },
  {
    name: "OpenRouter has switched the key off",
    cloud: OPENROUTER,
    answer: { status: 401, body: openrouter(401, "This API key has been disabled") },
    tried: [0, 1],
    state: "dead",
    backInS: null,
  },
  {
    name: "an OAuth token was revoked",
    cloud: OPENAI,
    answer: { status: 400, body: { error: "invalid_grant", error_description: "Token has been revoked." } },
    tried: [0, 1],
    state: "dead",
    backInS: null,
  },
];

export const MONEY_GONE: readonly Row[] = [
  {
    name: "OpenAI's quota is used up",
    cloud: OPENAI,
    answer: {
      status: 429,
      body: openai("You exceeded your current quota, please check your plan and billing details.", {
        type: "insufficient_quota",
        code: "insufficient_quota",
      }),
    },
    tried: [0, 1],
    state: "exhausted",
    backInS: 300,
  },
  {
    name: "Anthropic's credit is used up",
    cloud: ANTHROPIC,
    answer: {
      status: 400,
      body: anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    },
    tried: [0, 1],
    state: "exhausted",
    backInS: 300,
  },
  {
    name: "OpenRouter's credits are used up",
    cloud: OPENROUTER,
    answer: {
      status: 402,
      body: openrouter(402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits"),
    },
    tried: [0, 1],
    state: "exhausted",
    backInS: 300,
  },
  {
    name: "OpenRouter's limit of the key is reached",
    cloud: OPENROUTER,
    answer: {
      status: 403,
      body: openrouter(
        403,
        "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys",
      ),
    },
    tried: [0, 1],
    state: "exhausted",
    backInS: 300,
  },
  {
    name: "Ollama Cloud's week is used up, and it says until when",
    cloud: OLLAMA,
    answer: {
      status: 429,
      headers: { "retry-after": "7200" },
      body: { error: "you have reached your weekly usage limit" },
    },
    tried: [0, 1],
    state: "exhausted",
    backInS: 7200,
  },
];

export const LIMITED: readonly Row[] = [
  {
    name: "OpenAI limits tokens and says when in words",
    cloud: OPENAI,
    answer: {
      status: 429,
      body: openai(
        "Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2.5s.",
        { type: "tokens", code: "rate_limit_exceeded" },
      ),
    },
    tried: [0, 1],
    state: "ready",
    backInS: 2.5,
  },
  {
    name: "OpenAI limits requests and says when in headers",
    cloud: OPENAI,
    answer: {
      status: 429,
      headers: {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "6m0s",
        "x-ratelimit-remaining-tokens": "29000",
        "x-ratelimit-reset-tokens": "1s",
      },
      body: openai("Rate limit reached for gpt-4o.", { code: "rate_limit_exceeded" }),
    },
    tried: [0, 1],
    state: "ready",
    backInS: 360,
  },
  {
    name: "Anthropic limits input tokens until a time",
    cloud: ANTHROPIC,
    answer: {
      status: 429,
      headers: {
        date: "Tue, 14 Nov 2023 22:13:20 GMT",
        "anthropic-ratelimit-input-tokens-limit": "50000",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2023-11-14T22:14:05Z",
      },
      body: anthropic(
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50,000 input tokens per minute.",
      ),
    },
    tried: [0, 1],
    state: "ready",
    backInS: 45,
  },
  {
    name: "Groq limits by Retry-After",
    cloud: GROQ,
    answer: {
      status: 429,
      headers: {
        "retry-after": "12",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "7.66s",
      },
      body: openai("Rate limit reached for model `llama-3.3-70b-versatile`. Please try again in 11.9s.", {
        type: "tokens",
        code: "rate_limit_exceeded",
      }),
    },
    tried: [0, 1],
    state: "ready",
    backInS: 12,
  },
  {
    name: "OpenRouter limits free models for the account",
    cloud: OPENROUTER,
    answer: {
      status: 429,
      headers: {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1700000100000",
      },
      body: openrouter(429, "Rate limit exceeded: free-models-per-day"),
    },
    tried: [0, 1],
    state: "throttled",
    backInS: 100,
  },
  {
    name: "OpenRouter's upstream limits the model for everybody",
    cloud: OPENROUTER,
    answer: {
      status: 429,
      body: openrouter(429, "Provider returned error", {
        raw: "google/gemma-3 is temporarily rate-limited upstream. Please retry shortly",
        provider_name: "Google",
      }),
    },
    tried: [0],
    state: "ready",
    code: "keys_cooling",
  },
  {
    name: "nobody says when",
    cloud: GROQ,
    answer: { status: 429, body: openai("Too many requests") },
    tried: [0, 1],
    state: "ready",
    backInS: 5,
  },
  {
    name: "Ollama Cloud has no slot free for the key",
    cloud: OLLAMA,
    answer: { status: 429, body: { error: "timed out waiting for a concurrent request slot" } },
    tried: [0, 1],
    state: "throttled",
    backInS: 5,
  },
];
