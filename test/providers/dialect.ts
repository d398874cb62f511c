// How a protocol words things on the wire, so that one suite can speak both; and the stage that a raw server makes
// for the conformance suite.

import type { ProviderErrorKind } from "../../src/base/errors.ts";
import { SimulatedClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { ollama } from "../../providers/ollama.ts";
import { openaiCompatible } from "../../providers/openai-compatible.ts";
import type { FinishReason, Provider, ProviderOptions } from "../../providers/provider.ts";
import { requestFor } from "./collect.ts";
import type { Scene, SceneCall, Stage, Subject } from "./conformance.ts";
import type { WireExchange } from "./wire-server.ts";
import { wireServer } from "./wire-server.ts";

export interface End {
  readonly reason: FinishReason;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

export interface Dialect {
  readonly name: string;
  readonly contentType: string;
  /** What the provider's address ends in. */
  readonly suffix: string;
  readonly create: (options: ProviderOptions) => Provider;
  readonly text: (text: string) => string;
  readonly thinking: (text: string) => string;
  readonly calls: (calls: readonly SceneCall[]) => string;
  readonly end: (end: End) => string;
  /** An error inside the stream. */
  readonly error: (message: string) => string;
  /** A line that is no JSON. */
  readonly garbage: string;
}

const json = (value: unknown): string => JSON.stringify(value);

const ollamaLine = (message: object, rest: object = { done: false }): string =>
  `${json({ model: "m", created_at: "2026-01-01T00:00:00Z", message: { role: "assistant", content: "", ...message }, ...rest })}\n`;

export const OLLAMA: Dialect = {
  name: "ollama",
  contentType: "application/x-ndjson",
  suffix: "",
  create: ollama,
  text: (content) => ollamaLine({ content }),
  thinking: (thinking) => ollamaLine({ thinking }),
  calls: (calls) =>
    ollamaLine({
      tool_calls: calls.map(({ id, name, arguments: args }) => ({ id, function: { name, arguments: args } })),
    }),
  end: ({ reason, promptTokens, outputTokens }) =>
    ollamaLine(
      {},
      {
        done: true,
        done_reason: reason === "length" ? "length" : "stop",
        total_duration: 50_000_000,
        load_duration: 5_000_000,
        prompt_eval_count: promptTokens,
        prompt_eval_duration: 15_000_000,
        eval_count: outputTokens,
        eval_duration: 30_500_000,
      },
    ),
  error: (message) => `${json({ error: message })}\n`,
  garbage: '{"message": {"content": oops}}\n',
};

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${json({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

/** Names first, then the arguments in pieces, calls interleaved: the worst that the protocol allows. */
function callChunks(calls: readonly SceneCall[]): string {
  const heads = calls.map(({ id, name }, index) =>
    chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] }),
  );
  const halves = [0, 1].flatMap((half) =>
    calls.map(({ arguments: args }, index) => {
      const text = json(args);
      const middle = Math.floor(text.length / 2);
      const piece = half === 0 ? text.slice(0, middle) : text.slice(middle);
      return chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    }),
  );
  return [...heads, ...halves].join("");
}

export const OPENAI: Dialect = {
  name: "openai-compatible",
  contentType: "text/event-stream",
  suffix: "/v1",
  create: openaiCompatible,
  text: (content) => chunk({ content }),
  thinking: (reasoning) => chunk({ reasoning_content: reasoning }),
  calls: callChunks,
  end: ({ reason, promptTokens, outputTokens }) =>
    chunk({}, reason) +
    `data: ${json({ choices: [], usage: { prompt_tokens: promptTokens, completion_tokens: outputTokens } })}\n\n` +
    "data: [DONE]\n\n",
  error: (message) => `data: ${json({ error: { message, type: "server_error", code: null } })}\n\n`,
  garbage: "data: {oops}\n\n",
};

/** Statuses and bodies that stand for each kind on every server. */
const REFUSALS: Record<Exclude<ProviderErrorKind, "malformed">, { status: number; message: string }> = {
  auth: { status: 401, message: "Incorrect key" },
  rate_limited: { status: 429, message: "Too many requests" },
  quota: { status: 402, message: "Payment required" },
  overloaded: { status: 503, message: "server busy, please try again. maximum pending requests exceeded" },
  timeout: { status: 408, message: "Request timeout" },
  network: { status: 500, message: "the runner has terminated" },
  context_length: { status: 400, message: "the input length exceeds the context length" },
  refused: { status: 404, message: "model 'm' not found" },
};

/** A provider of this dialect at this server, on a clock that stands still unless it is told to move. */
export function providerAt(
  dialect: Dialect,
  url: string,
  overrides: Partial<ProviderOptions> = {},
): { readonly provider: Provider; readonly clock: SimulatedClock } {
  const clock = new SimulatedClock();
  const options = { fetch: runtimeFetch(), clock, random: seededRandom(1), ...overrides };
  return { provider: dialect.create({ baseUrl: url + dialect.suffix, ...options }), clock };
}

async function play(dialect: Dialect, scene: Scene, exchange: WireExchange): Promise<void> {
  if (scene.does === "is_silent") return;
  if (scene.does === "refuses" && scene.kind !== "malformed") {
    const { status, message } = REFUSALS[scene.kind];
    exchange.head(status, { "content-type": "application/json" }).end(json({ error: message }));
    return;
  }
  exchange.head(200, { "content-type": dialect.contentType });
  if (scene.does === "refuses") return exchange.end(dialect.garbage + dialect.text("more"));
  if (scene.does !== "answers") {
    await exchange.send(dialect.text(scene.text));
    if (scene.does === "breaks_off") exchange.break();
    return;
  }
  if (scene.thinking) await exchange.send(dialect.thinking(scene.thinking));
  for (const text of scene.text) await exchange.send(dialect.text(text));
  if (scene.calls) await exchange.send(dialect.calls(scene.calls));
  exchange.end(dialect.end(scene));
}

/** The dialect's provider in front of a raw server, as a subject of the conformance suite. */
export function wireSubject(dialect: Dialect): Subject {
  return {
    name: dialect.name,
    async stage(scene): Promise<Stage> {
      const server = await wireServer((exchange) => play(dialect, scene, exchange));
      const { provider } = providerAt(dialect, server.url);
      return {
        provider,
        exact: true,
        request: () => requestFor("m"),
        arrived: async (count) => void (await server.nth(count - 1)),
        inFlight: () => server.exchanges.filter((exchange) => exchange.open).length,
        close: () => server.close(),
      };
    },
  };
}
