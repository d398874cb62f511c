// Clouds that ask for keys, as their HTTP is: each key gets the answers that a test gives it, and what was asked is
// noted. The pool, the credentials and the clients in front of them are the real ones.

import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { planProviders } from "../../src/config/plan.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import type { KeyView } from "../../src/core/box-api.ts";
import { textMessage } from "../../src/core/message.ts";
import { Credentials } from "../../src/credentials/credentials.ts";
import { KeyDesk } from "../../src/runtime/key-desk.ts";
import type { KeyRotation } from "../../src/runtime/keyed-provider.ts";
import { ProviderPool } from "../../src/runtime/provider-pool.ts";

/** What a cloud answers: a refusal, or the pieces of a good stream. */
export interface CloudAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Cloud {
  readonly type: "openai" | "ollama";
  readonly baseUrl: string;
}

export const OPENAI: Cloud = { type: "openai", baseUrl: "https://api.openai.com/v1" };
export const ANTHROPIC: Cloud = { type: "openai", baseUrl: "https://api.anthropic.com/v1" };
export const GROQ: Cloud = { type: "openai", baseUrl: "https://api.groq.com/openai/v1" };
export const OPENROUTER: Cloud = { type: "openai", baseUrl: "https://openrouter.ai/api/v1" };
export const OLLAMA: Cloud = { type: "ollama", baseUrl: "https://ollama.com" };

export const server = setupServer();

const sse = (chunk: object): string => `data: ${JSON.stringify(chunk)}\n\n`;

/** A stream that answers "ok", and what headers it came with. */
export function good({ type }: Cloud, headers: Readonly<Record<string, string>> = {}): CloudAnswer {
  if (type === "ollama") {
    const chunk = { model: "m", message: { role: "assistant", content: "ok" }, done: false };
    const end = { model: "m", message: { role: "assistant", content: "" }, done: true, done_reason: "stop" };
    return { headers, body: `${JSON.stringify(chunk)}\n${JSON.stringify(end)}\n` };
  }
  const choice = { index: 0, delta: { content: "ok" }, finish_reason: "stop" };
  return { headers, body: `${sse({ choices: [choice] })}data: [DONE]\n\n` };
}

/** A stream that was accepted and then says that something is wrong. */
export function brokenOff(error: object, before: readonly string[] = []): CloudAnswer {
  const pieces = before.map((content) => sse({ choices: [{ index: 0, delta: { content } }] }));
  return { body: [...pieces, sse({ error })].join("") };
}

function responseTo({ type }: Cloud, { status = 200, headers = {}, body = "" }: CloudAnswer): Response {
  const streams = type === "ollama" ? "application/x-ndjson" : "text/event-stream";
  const kind = status === 200 ? streams : "application/json";
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new HttpResponse(text, { status, headers: { "content-type": kind, ...headers } });
}

export interface CloudOptions {
  readonly cloud: Cloud;
  /** The answers of each key, by its place; the last one stays, and none is a good stream. */
  readonly keys: readonly (readonly CloudAnswer[])[];
  /** As in the config: `weight`, `concurrency`, `account` of each key. */
  readonly about?: readonly object[];
  readonly config?: object;
  readonly deadlineLeftMs?: number;
}

/** The secret of the nth key. */
export const secretOf = (nth: number): string => `sk-live-secret/key+${nth}-0123456789abcdef`;

/** The pool, the credentials and the clients of such a cloud. */
function boxOf({ cloud, keys, about = [], config = {} }: CloudOptions) {
  const env = Object.fromEntries(keys.map((_, nth) => [`KEY_${nth}`, secretOf(nth)]));
  const provider = {
    type: cloud.type,
    base_url: cloud.baseUrl,
    key_strategy: "fill_first",
    api_keys: keys.map((_, nth) => ({ key: `env:KEY_${nth}`, ...about[nth] })),
    ...config,
  };
  const { plans } = planProviders(configSchema.parse({ providers: { cloud: provider } }), env);
  const clock = new SimulatedClock();
  const credentials = new Credentials({ env, sources: plans });
  const desk = new KeyDesk({ plans, credentials, clock, random: { next: () => 0 } });
  // Late, so that it is the one that the server listens to.
  const fetch: typeof globalThis.fetch = (...args) => globalThis.fetch(...args);
  const pool = new ProviderPool({ plans, credentials, fetch, clock, keys: desk });
  return { clock, credentials, desk, pool };
}

/** Lets the cloud answer; the places of the keys that came to it, in order. */
function answering({ cloud, keys }: CloudOptions): readonly number[] {
  const tried: number[] = [];
  const left = keys.map((answers) => [...answers]);
  const path = cloud.type === "ollama" ? "/api/chat" : "/chat/completions";
  server.use(
    http.post(`${cloud.baseUrl}${path}`, ({ request }) => {
      const nth = keys.findIndex(
        (_, at) => request.headers.get("authorization") === `Bearer ${secretOf(at)}`,
      );
      tried.push(nth);
      const answers = left[nth] ?? [];
      const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? good(cloud);
      return responseTo(cloud, answer);
    }),
  );
  return tried;
}

/** A provider with keys before such a cloud. */
export function cloudOf(options: CloudOptions) {
  const { clock, credentials, desk, pool } = boxOf(options);
  const tried = answering(options);
  const rotations: KeyRotation[] = [];
  const woken: string[] = [];
  const generate = async (
    conversation = "c",
    signal: AbortSignal = new AbortController().signal,
  ): Promise<string> => {
    const provider = pool.for("cloud", {
      conversation,
      deadlineLeftMs: () => options.deadlineLeftMs ?? null,
      rotated: (rotation) => rotations.push(rotation),
      wake: () => woken.push(conversation) > 0,
    });
    const messages = [textMessage("user", "goal", "hello")];
    let text = "";
    const request = { model: "m", messages, tools: [], maxOutputTokens: 16 };
    for await (const event of provider.generate(request, { signal })) {
      if (event.type === "text") text += event.text;
    }
    return text;
  };
  /** What it fails with; what it said where it does not. */
  const failure = (conversation?: string): Promise<ProviderError | string> =>
    generate(conversation).catch((thrown: unknown) => {
      if (thrown instanceof ProviderError) return thrown;
      throw thrown;
    });
  const shown = (): readonly KeyView[] => desk.shown("cloud");
  const states = (): readonly string[] => shown().map(({ state }) => state);
  /** Seconds until the first key is back, for the model or as a whole. */
  const backInS = (): number | null => {
    const key = shown()[0];
    const until = key?.until ?? key?.models[0]?.until ?? null;
    return until === null ? null : (until - clock.now()) / 1000;
  };
  return {
    clock,
    credentials,
    desk,
    pool,
    tried,
    rotations,
    woken,
    generate,
    failure,
    shown,
    states,
    backInS,
  };
}
