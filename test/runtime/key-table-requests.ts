// Further rows of the pool's table: refusals that say nothing of the key, and streams that break.

import { ANTHROPIC, brokenOff, GROQ, OLLAMA, OPENAI, OPENROUTER } from "./key-cloud.ts";
import { anthropic, openai, openrouter, type Row } from "./key-table.ts";

export const NOT_THE_KEY: readonly Row[] = [
  {
    name: "moderation refuses the request",
    cloud: OPENROUTER,
    answer: {
      status: 403,
      body: openrouter(403, "Your chosen model requires moderation and your input was flagged", {
        reasons: ["violence"],
      }),
    },
    tried: [0],
    state: "ready",
    code: "content_filter",
  },
  {
    name: "the key has no right to this model",
    cloud: GROQ,
    answer: {
      status: 403,
      body: openai("The model `x` is blocked at the project level.", {
        type: "permissions_error",
        code: "model_permission_blocked_project",
      }),
    },
    tried: [0, 1],
    state: "ready",
  },
  {
    name: "the model is not there",
    cloud: OPENAI,
    answer: {
      status: 404,
      body: openai("The model `x` does not exist or you do not have access to it.", {
        code: "model_not_found",
      }),
    },
    tried: [0],
    state: "ready",
    code: "model_not_found",
  },
  {
    name: "the request is wrong",
    cloud: OPENAI,
    answer: {
      status: 400,
      body: openai("Invalid value for 'temperature'.", { type: "invalid_request_error" }),
    },
    tried: [0],
    state: "ready",
    code: "invalid_request",
  },
  {
    name: "the request cannot be processed",
    cloud: GROQ,
    answer: { status: 422, body: openai("semantic errors") },
    tried: [0],
    state: "ready",
    code: "invalid_request",
  },
  {
    name: "the context is too long",
    cloud: OPENAI,
    answer: {
      status: 400,
      body: openai("This model's maximum context length is 8192 tokens.", {
        code: "context_length_exceeded",
      }),
    },
    tried: [0],
    state: "ready",
    code: "context_length",
  },
  {
    name: "the request is too large",
    cloud: ANTHROPIC,
    answer: { status: 413, body: anthropic("request_too_large", "Request exceeds the maximum size") },
    tried: [0],
    state: "ready",
    code: "request_too_large",
  },
  {
    name: "the cloud is overloaded",
    cloud: ANTHROPIC,
    answer: { status: 529, body: anthropic("overloaded_error", "Overloaded") },
    tried: [0],
    state: "ready",
    code: "overloaded",
  },
  {
    name: "the cloud is overloaded, in OpenAI's words",
    cloud: OPENAI,
    answer: {
      status: 503,
      body: openai("The engine is currently overloaded, please try again later", { type: "server_error" }),
    },
    tried: [0],
    state: "ready",
    code: "overloaded",
  },
  {
    name: "an Ollama's queue is full",
    cloud: OLLAMA,
    answer: {
      status: 503,
      body: { error: "server busy, please try again.  maximum pending requests exceeded" },
    },
    tried: [0],
    state: "ready",
    code: "overloaded",
  },
  {
    name: "the server fails, and once is tried elsewhere",
    cloud: OPENAI,
    answer: {
      status: 500,
      body: openai("The server had an error while processing your request.", { type: "server_error" }),
    },
    tried: [0, 1],
    state: "ready",
  },
  {
    name: "a gateway fails, and once is tried elsewhere",
    cloud: OPENROUTER,
    answer: { status: 502, body: "<html>bad gateway</html>" },
    tried: [0, 1],
    state: "ready",
  },
  {
    name: "a gateway's time is over, and once is tried elsewhere",
    cloud: GROQ,
    answer: { status: 504, body: "" },
    tried: [0, 1],
    state: "ready",
  },
  {
    name: "the server takes too long to read",
    cloud: OPENAI,
    answer: { status: 408, body: "" },
    tried: [0],
    state: "ready",
    code: "server_timeout",
  },
];

export const IN_THE_STREAM: readonly Row[] = [
  {
    name: "a limit inside a stream that was accepted, before the first token",
    cloud: OPENROUTER,
    answer: brokenOff({ code: 429, message: "Rate limit exceeded, retry after 8 seconds" }),
    tried: [0, 1],
    state: "ready",
    backInS: 8,
  },
  {
    name: "the same after the first token: told, and not tried again in silence",
    cloud: OPENROUTER,
    answer: brokenOff({ code: 429, message: "Rate limit exceeded, retry after 8 seconds" }, ["so"]),
    tried: [0],
    state: "ready",
    backInS: 8,
    code: "rate_limited",
  },
];
