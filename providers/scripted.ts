// A provider that replays a script: a full implementation of the contract (P1-P5) without a server or a model, for
// tests, benches and the demo's scripted parent. Time passes on the Clock only; it says of itself that it is
// simulated. Nothing is chosen by chance: the same script and the same requests give the same events.

import { withSignal } from "../src/base/abort.ts";
import type { Clock } from "../src/base/clock.ts";
import { delay } from "../src/base/clock.ts";
import { InternalError, messageOf, ProviderError, TroupeError } from "../src/base/errors.ts";
import { callsOf } from "../src/core/message.ts";
import type {
  GenerateOptions,
  GenerateRequest,
  GenerationUsage,
  LoadedModelInfo,
  ModelInfo,
  Provider,
  ProviderEvent,
  ServerInfo,
} from "./provider.ts";
import type { Step } from "./script.ts";

export type Reply = readonly Step[] | AsyncIterable<Step>;

export interface ScriptedOptions {
  readonly clock: Clock;
  /**
   * What to answer: a function of the request and of how many came before it, or a list that is used up in order
   * (a request beyond it is `refused` with code `script_exhausted`).
   */
  readonly reply: ((request: GenerateRequest, nth: number) => Reply) | readonly Reply[];
  /** The models there are; without it every name is one, with tools. */
  readonly models?: readonly ModelInfo[];
  readonly baseUrl?: string;
}

/** A provider that replays `options.reply`. */
export function scripted(options: ScriptedOptions): ScriptedProvider {
  return new ScriptedProvider(options);
}

/** Counts what it does, so that a scheduler can be watched from below. */
export class ScriptedProvider implements Provider {
  readonly type = "scripted";
  readonly baseUrl: string;
  readonly #options: ScriptedOptions;
  #begun = 0;
  #inFlight = 0;
  #peak = 0;

  constructor(options: ScriptedOptions) {
    this.#options = options;
    this.baseUrl = options.baseUrl ?? "scripted:";
  }

  /** Generations begun so far. */
  get begun(): number {
    return this.#begun;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** The most generations that were in flight at once. */
  get peakInFlight(): number {
    return this.#peak;
  }

  async *generate(request: GenerateRequest, { signal }: GenerateOptions): AsyncGenerator<ProviderEvent> {
    signal.throwIfAborted();
    this.#inFlight++;
    this.#peak = Math.max(this.#peak, this.#inFlight);
    try {
      const reply = this.#replyTo(request, this.#begun++);
      yield* this.#play(new Playback(request, this.#options.clock), reply, signal);
    } catch (thrown) {
      if (signal.aborted || thrown instanceof TroupeError) throw thrown;
      throw new InternalError("script", `The script itself failed: ${messageOf(thrown)}`, { cause: thrown });
    } finally {
      this.#inFlight--;
    }
  }

  server(signal: AbortSignal): Promise<ServerInfo> {
    return answer(signal, () => ({ version: "scripted", simulated: true }));
  }

  models(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    return answer(signal, () => this.#options.models ?? []);
  }

  describe(model: string, signal: AbortSignal): Promise<ModelInfo> {
    return answer(signal, () => {
      if (this.#options.models === undefined) return anyModel(model);
      const found = this.#options.models.find((each) => each.name === model);
      if (found) return found;
      const message = `Expected one of the script's models, got ${JSON.stringify(model)}.`;
      throw new ProviderError({ kind: "refused", code: "model_not_found" }, message);
    });
  }

  loaded(signal: AbortSignal): Promise<readonly LoadedModelInfo[]> {
    return answer(signal, () => []);
  }

  preload(_model: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return answer(signal, () => undefined);
  }

  unload(_model: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return answer(signal, () => undefined);
  }

  #replyTo(request: GenerateRequest, nth: number): Reply {
    const { reply } = this.#options;
    if (typeof reply === "function") return reply(request, nth);
    const listed = reply[nth];
    if (listed) return listed;
    const message = `Expected at most ${reply.length} generations, got one more. Add a reply to the script.`;
    throw new ProviderError({ kind: "refused", code: "script_exhausted" }, message);
  }

  async *#play(playback: Playback, reply: Reply, signal: AbortSignal): AsyncGenerator<ProviderEvent> {
    const steps = Symbol.asyncIterator in reply ? stepsOf(reply, signal) : reply;
    for await (const step of steps) {
      signal.throwIfAborted();
      if (step.type === "wait") await delay(this.#options.clock, step.ms, signal);
      else if (step.type === "hang") await withSignal(new Promise<never>(() => {}), signal);
      else if (step.type === "error") throw step.error;
      else if (step.type === "finish") return yield* guarded(playback.end(step), signal);
      else yield* guarded(playback.show(step), signal);
    }
    yield* guarded(playback.end({ type: "finish" }), signal);
  }
}

type Shown = Extract<Step, { type: "text" | "thinking" | "tool_call" | "started" }>;

/** The events of one generation, counted for its usage. */
class Playback {
  readonly #request: GenerateRequest;
  readonly #clock: Clock;
  readonly #begunAt: number;
  #started = false;
  #calls = 0;
  #chars = 0;

  constructor(request: GenerateRequest, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
    this.#begunAt = clock.monotonic();
  }

  *show(step: Shown): Generator<ProviderEvent> {
    yield* this.#start();
    if (step.type === "started") return;
    if (step.type !== "tool_call") {
      this.#chars += step.text.length;
      yield step;
      return;
    }
    const { name, malformed } = step;
    const made = { id: step.id ?? this.#newId(), name, arguments: step.arguments };
    this.#calls++;
    yield { type: "tool_call", call: malformed === undefined ? made : { ...made, malformed } };
  }

  *end(step: Extract<Step, { type: "finish" }>): Generator<ProviderEvent> {
    yield* this.#start();
    const reason = step.reason ?? (this.#calls > 0 ? "tool_calls" : "stop");
    yield { type: "finished", reason, usage: { ...this.#usage(), ...step.usage } };
  }

  /** Counted over the conversation, so that a call of a later turn, or after a restart, has another id. */
  #newId(): string {
    let earlier = 0;
    for (const message of this.#request.messages) earlier += callsOf(message).length;
    return `call_scripted_${earlier + this.#calls}`;
  }

  *#start(): Generator<ProviderEvent> {
    if (this.#started) return;
    this.#started = true;
    yield { type: "started" };
  }

  /** Four characters are counted as a token: no tokenizer stands behind this. */
  #usage(): GenerationUsage {
    let prompt = 0;
    for (const message of this.#request.messages)
      for (const part of message.parts) if ("text" in part) prompt += part.text.length;
    const totalMs = this.#clock.monotonic() - this.#begunAt;
    return {
      promptTokens: Math.ceil(prompt / 4),
      outputTokens: Math.ceil(this.#chars / 4) + this.#calls,
      loadMs: 0,
      promptMs: 0,
      outputMs: totalMs,
      totalMs,
    };
  }
}

function* guarded(events: Iterable<ProviderEvent>, signal: AbortSignal): Generator<ProviderEvent> {
  for (const event of events) {
    signal.throwIfAborted();
    yield event;
  }
}

/** The steps of an asynchronous reply, which is given up as soon as the signal aborts. */
async function* stepsOf(reply: AsyncIterable<Step>, signal: AbortSignal): AsyncGenerator<Step> {
  const source = reply[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await withSignal(source.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a source that hangs would hold the abort back.
    void source.return?.().catch(() => {});
  }
}

async function answer<T>(signal: AbortSignal, value: () => T): Promise<T> {
  signal.throwIfAborted();
  return value();
}

function anyModel(name: string): ModelInfo {
  return {
    name,
    sizeBytes: null,
    parameters: null,
    contextTokens: null,
    tools: true,
    thinking: false,
    embeddingOnly: false,
  };
}
