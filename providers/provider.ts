// The one contract between Troupe and a model server (design.md §5).
//
// P1. After `signal` aborts, the socket is closed and nothing more is emitted; the iterator throws the reason.
// P2. Exactly one `finished` event ends a good stream, and nothing follows it. A stream that breaks off before
//     it throws ProviderError; what was emitted before stays emitted.
// P3. Only TroupeErrors are thrown: ProviderError of the right kind, or the signal's own reason.
// P4. Nothing is retried here, and no credential appears in any event or error.
// P5. One call, one connection: aborting one generation never touches another.

import type { Clock } from "../src/base/clock.ts";
import type { Random } from "../src/base/ids.ts";
import type { ToolDefinition } from "../src/core/tool.ts";
import type { JsonSchema } from "../src/core/json-schema.ts";
import type { RunnerOptions } from "../src/core/load-profile.ts";
import type { Message, ToolCall } from "../src/core/message.ts";
import type { RateWindow } from "../src/core/rate-limits.ts";

/** The runner options are those of the model's load profile: the only ones that a server loads a model anew for. */
export interface GenerateRequest extends RunnerOptions {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  /** Tokens that may be written; always sent (Ollama's own default is unbounded). */
  readonly maxOutputTokens: number;
  /** Constrains the answer to a JSON Schema where the server can. */
  readonly outputSchema?: JsonSchema;
  /** Absent leaves the server's default; sent only where the model supports it. */
  readonly think?: boolean;
  readonly temperature?: number;
  readonly seed?: number;
}

export interface GenerateOptions {
  readonly signal: AbortSignal;
}

export interface GenerationUsage {
  readonly promptTokens: number;
  /** The part of the prompt that the server read from a cache and may charge less for; 0 when absent. */
  readonly cachedPromptTokens?: number;
  readonly outputTokens: number;
  /** Milliseconds, where the server tells them; 0 where it does not. */
  readonly loadMs: number;
  readonly promptMs: number;
  readonly outputMs: number;
  readonly totalMs: number;
}

export type FinishReason = "stop" | "length" | "tool_calls";

export type ProviderEvent =
  /** Response headers came: the request is no longer queued at the server. `limits` is what they tell of its limits. */
  | { readonly type: "started"; readonly limits?: readonly RateWindow[] }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "tool_call"; readonly call: ToolCall }
  | { readonly type: "finished"; readonly reason: FinishReason; readonly usage: GenerationUsage };

/** What a model can do, from the server or from the config. */
export interface ModelInfo {
  readonly name: string;
  readonly sizeBytes: number | null;
  /** As the server words it: `8.2B`. */
  readonly parameters: string | null;
  /** The longest context that the model was trained for. */
  readonly contextTokens: number | null;
  readonly tools: boolean;
  readonly thinking: boolean;
  /** Takes images; absent where the server does not tell. */
  readonly vision?: boolean;
  readonly embeddingOnly: boolean;
  /** Of its contents, where the server tells it: two names with the same one are the same model. */
  readonly digest?: string;
}

export interface LoadedModelInfo {
  readonly name: string;
  readonly sizeBytes: number;
  readonly vramBytes: number;
  readonly contextTokens: number | null;
  /** Of its contents; `null` where the server does not tell. */
  readonly digest: string | null;
  /** When it would go if nobody used it, in milliseconds since the epoch; `null` where the server does not tell. */
  readonly expiresAt: number | null;
}

export interface ServerInfo {
  readonly version: string | null;
  /** True when the server says of itself that it is Troupe's simulator. */
  readonly simulated: boolean;
}

/**
 * One model server or endpoint, with one base URL. One instance serves any number of generations at once.
 */
export interface Provider {
  /** The protocol: `ollama`, `openai`, `scripted`. */
  readonly type: string;
  readonly baseUrl: string;
  generate(request: GenerateRequest, options: GenerateOptions): AsyncIterable<ProviderEvent>;
  /** Who answers there. Throws ProviderError `network` when nobody does. */
  server(signal: AbortSignal): Promise<ServerInfo>;
  /** The models that can be asked for, without details that need a request each. */
  models(signal: AbortSignal): Promise<readonly ModelInfo[]>;
  /** One model in full. Throws ProviderError with code `model_not_found` for one that is not there. */
  describe(model: string, signal: AbortSignal): Promise<ModelInfo>;
  /** What sits in memory now; empty where the server does not tell. */
  loaded(signal: AbortSignal): Promise<readonly LoadedModelInfo[]>;
  /** Loads a model ahead of its first use, where the server can; else does nothing. Resolves once it is there. */
  preload(model: string, options: RunnerOptions & { readonly signal: AbortSignal }): Promise<void>;
  /**
   * Asks the server to let a model go as soon as nobody uses it, where it can; else does nothing. Resolves once the
   * server has heard it; `loaded` tells when it is gone.
   */
  unload(model: string, options: { readonly signal: AbortSignal }): Promise<void>;
}

/** How long each step of one generation may take, in milliseconds; 0 or less means no limit. */
export interface ProviderDeadlines {
  /** Until the socket is connected; a refused one fails at once. */
  readonly connectMs: number;
  /** Until the first byte of the answer: the server's own queue, loading and prefill are in it. */
  readonly firstByteMs: number;
  /** Between two chunks. */
  readonly idleMs: number;
}

/** Local models queue, load and prefill before the first byte; a cold 120B model was seen to take 13 s, a P40 30 s. */
export const DEFAULT_DEADLINES: ProviderDeadlines = {
  connectMs: 10_000,
  firstByteMs: 600_000,
  idleMs: 120_000,
};

/** One line of a stream may be this long (a tool call with a large body); longer is `malformed`. */
export const MAX_LINE_CHARS = 16 * 1024 * 1024;

/** Troupe's simulator sends this header with the value `1` on every answer, so that nobody takes it for a model. */
export const SIMULATED_HEADER = "x-troupe-simulated";

/** What a provider needs from outside. `fetch` is called late, never captured at import. */
export interface ProviderOptions {
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** The secret itself; goes into the request's header and nowhere else. */
  readonly apiKey?: string;
  /** Takes every secret that is known, in all its forms, out of what a server says of a failure. */
  readonly redact?: (text: string) => string;
  readonly deadlines?: Partial<ProviderDeadlines>;
  /** Extra headers of the config, without secrets in them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the ids of tool calls whose server sends none; the system's by default. */
  readonly random?: Random;
}
