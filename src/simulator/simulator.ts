// The simulated model server: Ollama's API over GPUs, models and rates that are plain figures, and over policies that
// stand in for models. Every response is labelled with `x-troupe-simulated: 1`; no answer ever comes from a model.

import { Hono } from "hono";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Random } from "../base/ids.ts";
import { SimulatedBox, type BoxStats } from "./box.ts";
import { DEFAULT_SIMULATOR_CONFIG, type SimulatorConfig } from "./config.ts";
import { isServerGone, serverGone } from "./faults.ts";
import { ollamaApp } from "./ollama-app.ts";
import { openaiApp } from "./openai-app.ts";
import { brokenConnection } from "./respond.ts";

/** The header that marks every response, with the value `1`. */
export const SIMULATED_HEADER = "x-troupe-simulated";

/** What the simulator stands on. */
export interface SimulatorOptions {
  readonly clock: Clock;
  /** Seeded, so that a run can be repeated. */
  readonly random: Random;
  /** What differs from DEFAULT_SIMULATOR_CONFIG. */
  readonly config?: Partial<SimulatorConfig>;
}

/** A model server that is not one. */
export interface Simulator {
  /** Served by the caller, over a real socket or by `app.request()`. */
  readonly app: Hono;
  /** The same without a socket; rejects as `fetch` does while the server is down. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  readonly box: SimulatedBox;
  stats(): BoxStats;
  /** Ends all waits and timers; call it after the server was closed. Idempotent. */
  close(): void;
}

/** Contract: never throws; starts no timer and opens no socket by itself. */
export function createSimulator({ clock, random, config = {} }: SimulatorOptions): Simulator {
  const box = new SimulatedBox({ clock, random, config: { ...DEFAULT_SIMULATOR_CONFIG, ...config } });
  const app = new Hono();
  app.use(async (context, next) => {
    if (box.faults.down) return brokenConnection();
    await next();
    context.res.headers.set(SIMULATED_HEADER, "1");
  });
  app.get("/", (context) => context.text("Troupe's simulator is running. It is not Ollama."));
  app.route("/", ollamaApp({ box, random }));
  app.route("/", openaiApp({ box, random }));
  app.onError((error, context) => {
    if (isServerGone(error)) return brokenConnection();
    return context.json({ error: messageOf(error) }, 500);
  });
  app.notFound((context) => context.text("404 page not found", 404));
  const inProcess = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    if (box.faults.down) throw new TypeError("fetch failed", { cause: serverGone() });
    const request = new Request(input, init);
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(request.signal.reason);
    request.signal.throwIfAborted();
    request.signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([app.fetch(request), left.promise]);
    } finally {
      request.signal.removeEventListener("abort", leave);
    }
  };
  return { app, fetch: inProcess, box, stats: () => box.stats(), close: () => box.close() };
}
