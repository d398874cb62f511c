// Plays a workload against a server that speaks Ollama's API, real or simulated: the same requests by the same code.
// What the server says is taken as it stands; nothing is tried a second time.

import { delay, type Clock } from "../../src/base/clock.ts";
import type { RequestOutcome, WorkloadOutcome } from "./outcome.ts";
import type { CalibrationRequest, CalibrationWorkload } from "./workloads.ts";

/** A server, and the clock that it lives by. */
export interface Target {
  readonly baseUrl: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  /** The two models' names there. */
  readonly names: Readonly<Record<"a" | "b", string>>;
  /** Models loaded since the server began. */
  readonly loads: () => Promise<number>;
}

const NS_PER_MS = 1_000_000;

interface Moments {
  readonly sent: PromiseWithResolvers<void>;
  readonly first: PromiseWithResolvers<void>;
  readonly end: PromiseWithResolvers<void>;
}

/** The body of a request, as a program would send it. */
export function bodyOf(request: CalibrationRequest, model: string): string {
  const { word, times } = request.prompt ?? { word: "hello", times: 1 };
  return JSON.stringify({
    model,
    stream: true,
    messages: [{ role: "user", content: Array.from({ length: times }, () => word).join(" ") }],
    ...(request.keepAliveS === undefined ? {} : { keep_alive: request.keepAliveS }),
    ...(request.shift === undefined ? {} : { shift: request.shift }),
    options: {
      num_predict: request.tokens,
      seed: 1,
      ...(request.contextTokens === undefined ? {} : { num_ctx: request.contextTokens }),
    },
  });
}

/** Plays all requests and says what became of each. Contract: resolves when the last one has ended, however. */
export async function drive(target: Target, workload: CalibrationWorkload): Promise<WorkloadOutcome> {
  const start = target.clock.monotonic();
  const before = await target.loads();
  const moments = workload.requests.map((): Moments => ({
    sent: Promise.withResolvers(),
    first: Promise.withResolvers(),
    end: Promise.withResolvers(),
  }));
  const requests = await Promise.all(
    workload.requests.map(async (request, at) => {
      const { sent, first, end } = moments[at] as Moments;
      if (request.cue) {
        await (moments[request.cue.of] as Moments)[request.cue.when].promise;
        if (request.cue.delayMs > 0) await delay(target.clock, request.cue.delayMs);
      }
      sent.resolve();
      const outcome = await send(target, request, first.resolve);
      // Whoever waits for a first token that never came goes on when all is over.
      first.resolve();
      end.resolve();
      return { ...outcome, endMs: target.clock.monotonic() - start };
    }),
  );
  return { requests, loads: (await target.loads()) - before };
}

type Sent = Omit<RequestOutcome, "endMs">;

const NOTHING = { outputTokens: 0, loadMs: 0, promptTokens: 0, promptMs: 0 };

async function send(target: Target, request: CalibrationRequest, onFirst: () => void): Promise<Sent> {
  const controller = new AbortController();
  const { abortAfterMs } = request;
  const leave = (): void => controller.abort(new Error("the client has left"));
  const timer = abortAfterMs === undefined ? null : target.clock.after(abortAfterMs, leave);
  try {
    const response = await target.fetch(`${target.baseUrl}/api/chat`, {
      method: "POST",
      body: bodyOf(request, target.names[request.model]),
      signal: controller.signal,
    });
    if (!response.ok || response.body === null) {
      await response.text();
      return { ...NOTHING, ended: response.status === 503 ? "busy" : "failed" };
    }
    const sent = await read(response.body, onFirst);
    return sent.ended === "failed" && controller.signal.aborted ? { ...sent, ended: "gone" } : sent;
  } catch {
    return { ...NOTHING, ended: controller.signal.aborted ? "gone" : "failed" };
  } finally {
    timer?.cancel();
  }
}

async function read(body: ReadableStream<Uint8Array>, onFirst: () => void): Promise<Sent> {
  const decoder = new TextDecoder();
  let rest = "";
  let last = "";
  for await (const bytes of body) {
    onFirst();
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    last = lines.findLast((line) => line !== "") ?? last;
  }
  return outcomeOf(rest === "" ? last : rest);
}

/** What the last line of an answer says. */
export function outcomeOf(line: string): Sent {
  const body = JSON.parse(line === "" ? "{}" : line) as Readonly<Record<string, unknown>>;
  if (body["done"] !== true) return { ...NOTHING, ended: "failed" };
  const figure = (key: string): number => (typeof body[key] === "number" ? body[key] : 0);
  return {
    ended: "done",
    outputTokens: figure("eval_count"),
    loadMs: figure("load_duration") / NS_PER_MS,
    promptTokens: figure("prompt_eval_count"),
    promptMs: figure("prompt_eval_duration") / NS_PER_MS,
  };
}
