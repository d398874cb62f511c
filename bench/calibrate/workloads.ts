// The workloads of the calibration: small, and about what a server decides, not about how fast it is. What must be true
// of the order in which things happen hangs on events (a first token, an end), not on milliseconds, so that a busy
// machine changes the figures and not the question.

/** When a request is sent: so long after a moment of an earlier one, or after the start. */
export interface Cue {
  readonly of: number;
  readonly when: "sent" | "first" | "end";
  readonly delayMs: number;
}

/** One request of a workload. */
export interface CalibrationRequest {
  readonly model: "a" | "b";
  /** What is written, to the token: the models have no end. */
  readonly tokens: number;
  /** The start when absent. */
  readonly cue?: Cue;
  readonly contextTokens?: number;
  readonly keepAliveS?: number;
  /** Whether an answer may push the oldest turns out; absent leaves it to the server. */
  readonly shift?: boolean;
  /** The client goes so long after it has sent. */
  readonly abortAfterMs?: number;
  /** Repeated so often as the prompt; a conversation goes on with the same word. */
  readonly prompt?: { readonly word: string; readonly times: number };
}

export interface CalibrationWorkload {
  readonly name: string;
  /** What it asks of a server, for the report. */
  readonly asks: string;
  readonly requests: readonly CalibrationRequest[];
  /** `OLLAMA_MAX_QUEUE`; 512 when absent. */
  readonly maxQueue?: number;
  /** Why the two need not agree, where it is known; then it is shown and not checked. */
  readonly knownDifference?: string;
}

const after = (of: number, when: Cue["when"], delayMs = 0): { readonly cue: Cue } => ({
  cue: { of, when, delayMs },
});

/** Sent while the first request writes, one after the other as fast as their order is sure. */
const behind = (requests: readonly CalibrationRequest[]): readonly CalibrationRequest[] =>
  requests.map((request, at) => ({
    ...request,
    ...(at === 0 ? after(0, "first", 8) : after(at, "sent", 8)),
  }));

const inTurn = (requests: readonly CalibrationRequest[], delayMs = 0): readonly CalibrationRequest[] =>
  requests.map((request, at) => (at === 0 ? request : { ...request, ...after(at - 1, "end", delayMs) }));

const LONG = 900;

export const WORKLOADS: readonly CalibrationWorkload[] = [
  {
    name: "one_model",
    asks: "a loaded model and six requests of different lengths: who gets a slot, and when",
    requests: [
      { model: "a", tokens: 1 },
      ...[700, 350, 600, 250, 500, 150].map((tokens, at) => ({
        model: "a" as const,
        tokens,
        ...(at === 0 ? after(0, "end", 20) : after(at, "sent", 8)),
      })),
    ],
  },
  {
    name: "two_models",
    asks: "two models that exclude each other, in turn, while the first one writes: who passes by, who waits",
    requests: [
      { model: "a", tokens: LONG },
      ...behind(["b", "a", "b", "a", "b"].map((model) => ({ model: model as "a" | "b", tokens: 300 }))),
    ],
  },
  {
    name: "while_starting",
    asks: "a model that is asked for again while it is started, behind another one: is it loaded twice",
    requests: [
      { model: "a", tokens: 300 },
      { model: "b", tokens: 300, ...after(0, "sent", 6) },
      { model: "a", tokens: 300, ...after(1, "sent", 6) },
    ],
  },
  {
    name: "steady_stream",
    asks: "a model that is to go and is asked for again and again: does who waits for the other starve",
    requests: [
      { model: "a", tokens: LONG },
      { model: "b", tokens: 300, ...after(0, "first") },
      { model: "a", tokens: LONG, ...after(1, "sent", 8) },
      { model: "a", tokens: LONG, ...after(2, "first") },
      { model: "a", tokens: LONG, ...after(3, "first") },
    ],
  },
  {
    name: "contexts",
    asks: "one model, another context each time: a load each time",
    requests: inTurn(
      [512, 1_024, 512, 1_024].map((contextTokens) => ({ model: "a", tokens: 300, contextTokens })),
    ),
  },
  {
    name: "queue_thrash",
    asks: "contexts that alternate in the queue: served in order, a load for each",
    requests: [
      { model: "b", tokens: LONG },
      ...behind(
        [512, 1_024, 512, 1_024].map((contextTokens) => ({ model: "a", tokens: 300, contextTokens })),
      ),
    ],
  },
  {
    name: "keep_alive_0",
    asks: "a model that is let go after each answer: a load each time",
    requests: inTurn(
      [1, 2, 3].map(() => ({ model: "a", tokens: 300, keepAliveS: 0 })),
      400,
    ),
  },
  {
    name: "full_queue",
    asks: "more requests for absent models than may wait: who is refused",
    maxQueue: 2,
    requests: [
      { model: "a", tokens: LONG },
      ...behind([1, 2, 3, 4, 5].map(() => ({ model: "b", tokens: 200 }))),
    ],
  },
  {
    name: "revived",
    asks: "a keep-alive that comes while its model is to go: does the queue stand until it has passed",
    requests: [
      { model: "a", tokens: LONG },
      { model: "b", tokens: 300, ...after(0, "first") },
      { model: "a", tokens: 300, keepAliveS: 2, ...after(1, "sent", 20) },
    ],
  },
  {
    name: "cancelled",
    asks: "a client that leaves the queue: is its place passed over",
    requests: [
      { model: "a", tokens: LONG },
      { model: "b", tokens: 300, contextTokens: 512, abortAfterMs: 20, ...after(0, "first") },
      { model: "b", tokens: 300, contextTokens: 1_024, ...after(1, "sent", 40) },
    ],
  },
  {
    name: "shift",
    asks: "the same model, told not to shift: is it loaded anew",
    knownDifference: "v0.24.0 has no such option of a runner; the sources that the facts cite load anew",
    requests: inTurn([
      { model: "a", tokens: 200 },
      { model: "a", tokens: 200, shift: false },
    ]),
  },
  {
    name: "talks_in_turn",
    asks: "two conversations in turn on a model: is the first one remembered",
    knownDifference:
      "v0.24.0 has a runner of its own, which keeps conversations in slots and has no cache in the host's memory",
    requests: inTurn(
      ["hat", "dog", "hat", "dog"].map((word) => ({
        model: "a",
        tokens: 20,
        contextTokens: 2_048,
        prompt: { word, times: 100 },
      })),
    ),
  },
];
