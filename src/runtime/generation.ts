// One answer of a model: streams it, gathers text and tool calls, and turns what local models do wrong into words
// that the machine understands (design.md §5). It writes nothing and holds nothing after it has returned.

import { LimitError, ProviderError, TroupeError, messageOf } from "../base/errors.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { SERVER_AWAY } from "../core/lifecycle.ts";
import type { MessagePart, Message, ToolCall } from "../core/message.ts";
import type { GenerationMeter } from "./generation-meter.ts";
import type { StallWatch } from "./stall-watch.ts";
import type { TaskFailure } from "../core/task.ts";
import type { FinishReason, GenerateRequest, GenerationUsage, Provider } from "../../providers/provider.ts";

/** Deltas are gathered this long before they are shown (design.md §6: 20-50 ms); the first one goes out at once. */
const DELTA_MS = 30;

export interface GenerationOptions {
  readonly provider: Pick<Provider, "generate">;
  readonly request: GenerateRequest;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Watches one request; every event of its stream is a sign of life. */
  readonly watch: (signal: AbortSignal) => StallWatch;
  /** The turn's number: call ids are made from it, so that they are unique in the task and repeatable. */
  readonly turn: number;
  readonly onDelta: (channel: "text" | "thinking", text: string) => void;
  /** Takes every secret that is known out of a text that comes in pieces; one for each text. */
  readonly redactStream: () => RedactedText;
  readonly meter: GenerationMeter;
  /** Asked before an empty answer is tried again; may throw. */
  readonly beforeSecondTry: () => void;
}

/** A text that comes in pieces, freed of secrets: what may leave now, and at the end the rest. */
export interface RedactedText {
  push(text: string): string;
  end(): string;
}

/** For who knows no secret. */
export const PLAIN_TEXT: RedactedText = { push: (text) => text, end: () => "" };

export interface Generation {
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly ToolCall[];
  readonly reason: FinishReason;
  readonly usage: GenerationUsage;
  /** It ended by length, where the budget had left it less room than it wanted. */
  readonly isCutShort?: boolean;
}

/**
 * Generates one answer. An empty one that ended by length is tried once more with twice the room; a second one is
 * a TroupeError with code `empty_answer`. What it used is read from the meter, also when it throws.
 * Contract: throws the provider's errors as they are, what `beforeSecondTry` throws, and the signal's reason once it
 * aborts.
 */
export async function generateAnswer(options: GenerationOptions): Promise<Generation> {
  const first = await streamOnce(options, options.request.maxOutputTokens);
  if (!isEmpty(first)) return { ...first, usage: options.meter.usage };
  options.beforeSecondTry();
  const second = await streamOnce(options, options.request.maxOutputTokens * 2);
  if (!isEmpty(second)) return { ...second, usage: options.meter.usage };
  throw new ProviderError(
    { kind: "malformed", code: "empty_answer" },
    `Expected an answer from ${options.request.model} and got an empty one twice (it ended by ${second.reason}). ` +
      "Ask for less at once, raise max_output_tokens, or use another model.",
  );
}

function isEmpty(generation: Answered): boolean {
  return generation.text.trim() === "" && generation.calls.length === 0;
}

type Answered = Omit<Generation, "usage">;

async function streamOnce(options: GenerationOptions, maxOutputTokens: number): Promise<Answered> {
  const { meter } = options;
  const deltas = new DeltaBuffer(options.clock, options.onDelta);
  const calls: ToolCall[] = [];
  const written = { text: "", thinking: "" };
  const redacted = { text: options.redactStream(), thinking: options.redactStream() };
  const write = (channel: "text" | "thinking", text: string): void => {
    written[channel] += text;
    deltas.add(channel, text);
  };
  let reason: FinishReason = "stop";
  const watch = options.watch(options.signal);
  const { signal } = watch;
  const read = async (): Promise<void> => {
    const stream = options.provider.generate({ ...options.request, maxOutputTokens }, { signal });
    for await (const event of stream) {
      watch.alive();
      // Of one that was given up and goes on all the same, nothing is taken.
      signal.throwIfAborted();
      if (event.type !== "finished") meter.wrote("text" in event ? event.text.length : 0);
      if (event.type === "text" || event.type === "thinking") {
        write(event.type, redacted[event.type].push(event.text));
      } else if (event.type === "tool_call") {
        calls.push({ ...event.call, id: `call_${options.turn}_${calls.length + 1}` });
      } else if (event.type === "finished") {
        reason = event.reason;
        meter.finish(event.usage);
      }
    }
  };
  try {
    await watch.hold(read());
  } finally {
    watch.end();
    write("thinking", redacted.thinking.end());
    write("text", redacted.text.end());
    deltas.end();
  }
  return { ...written, calls, reason };
}

/** The assistant message that an answer becomes. */
export function answerMessage(generation: Pick<Generation, "text" | "thinking" | "calls">): Message {
  const parts: MessagePart[] = [];
  if (generation.thinking !== "") parts.push({ type: "thinking", text: generation.thinking });
  if (generation.text !== "") parts.push({ type: "text", text: generation.text });
  for (const call of generation.calls) parts.push({ type: "tool_call", call });
  return { role: "assistant", origin: "model", parts };
}

/** Gathers deltas so that watchers get tens, not hundreds, of frames a second. */
class DeltaBuffer {
  readonly #clock: Clock;
  readonly #emit: (channel: "text" | "thinking", text: string) => void;
  #channel: "text" | "thinking" = "text";
  #text = "";
  #timer: Timer | null = null;

  constructor(clock: Clock, emit: (channel: "text" | "thinking", text: string) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  add(channel: "text" | "thinking", text: string): void {
    if (text === "") return;
    if (channel !== this.#channel) this.#flush();
    this.#channel = channel;
    this.#text += text;
    if (this.#timer) return;
    this.#flush();
    this.#arm();
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#flush();
  }

  #arm(): void {
    this.#timer = this.#clock.after(DELTA_MS, () => {
      this.#timer = null;
      if (this.#text === "") return;
      this.#flush();
      this.#arm();
    });
  }

  #flush(): void {
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    this.#emit(this.#channel, text);
  }
}

export interface GenerationFailure {
  readonly failure: TaskFailure;
  readonly transient: boolean;
  readonly retryInMs: number;
  /** Others hold what it needs, for now: no try is counted. */
  readonly heldUp?: boolean;
}

/** First and longest pause between two tries of a generation, in milliseconds; each pause doubles. */
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_LAST_MS = 30_000;
/** Tries of one generation while its failures are transient: with pauses of 1, 2, 4 and 8 s, about 15 s. */
export const GENERATION_TRIES = 5;
/** What the same request cannot mend soon, although its kind may pass. */
const NEVER_TRIED_AGAIN: ReadonlySet<string> = new Set(["empty_answer", "keys_cooling", SERVER_AWAY]);
/** A server that asks for a longer pause than this ends the run: nobody waits that long in silence. */
const LONGEST_PAUSE_MS = 60_000;

/** The pause after so many failures in a row; `jitter` in [0, 1) spreads simultaneous ones by up to a tenth. */
export function pauseMs(failures: number, jitter: number): number {
  return spread(Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** failures), jitter);
}

function spread(ms: number, jitter: number): number {
  return ms * (1 + jitter / 10);
}

/**
 * What went wrong, in the machine's words. The server's own hint wins over our pause, and is spread like it: never
 * sooner than it asked, and not all at the same moment.
 */
export function failureOf(thrown: unknown, tries: number, jitter: number): GenerationFailure {
  const pause = pauseMs(tries, jitter);
  if (thrown instanceof ProviderError) {
    const retryInMs = thrown.retryAfterMs ?? pause;
    const retryable = thrown.transient && retryInMs <= LONGEST_PAUSE_MS;
    // Nothing was sent: it waits for a key, or for too long, and no try is spent on it.
    if (thrown.details["held_up"] === true) {
      const failure = { code: thrown.code, message: thrown.message, retryable: false };
      return { failure, transient: true, heldUp: true, retryInMs: spread(retryInMs, jitter) };
    }
    const transient = retryable && !NEVER_TRIED_AGAIN.has(thrown.code);
    const asks = `The server asks to wait ${Math.ceil(retryInMs / 1000)} s.`;
    const message = thrown.transient && !retryable ? `${thrown.message} ${asks}` : thrown.message;
    const spreadMs = Math.max(retryInMs, spread(thrown.retryAfterMs ?? 0, jitter));
    return { failure: { code: codeOf(thrown), message, retryable }, transient, retryInMs: spreadMs };
  }
  // Other generations of the tree hold the rest of its budget for now; what they do not use comes back.
  if (thrown instanceof LimitError && thrown.details["held_by_others"] === true) {
    return {
      failure: { code: thrown.code, message: thrown.message, retryable: false },
      transient: true,
      heldUp: true,
      retryInMs: pause,
    };
  }
  if (thrown instanceof TroupeError) {
    const failure = { code: thrown.code, message: thrown.message, retryable: false };
    return { failure, transient: false, retryInMs: pause };
  }
  const failure = { code: "internal", message: `Troupe failed: ${messageOf(thrown)}`, retryable: false };
  return { failure, transient: false, retryInMs: pause };
}

/** The code that a task fails with: `provider_timeout` is not the task's own `timeout`. */
function codeOf(error: ProviderError): string {
  return error.code === "timeout" || error.code === "budget" ? `provider_${error.code}` : error.code;
}
