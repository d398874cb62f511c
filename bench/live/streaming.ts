// What viewers do to the server's event loop: hundreds of agents write at once, and people watch some of them, with and
// without viewers in turn. Everything but the model is real; the viewers are another process.

import { monitorEventLoopDelay } from "node:perf_hooks";
import { delay, systemClock } from "../../src/base/clock.ts";
import { say, wait } from "../../providers/script.ts";
import { median, percentile } from "../statistics.ts";
import { benchRig } from "../rig.ts";
import { HELLO, serveApi, Viewers } from "./parent.ts";

export interface StreamingOptions {
  readonly agents: number;
  readonly viewers: number;
  /** Windows with viewers; there are as many without. */
  readonly windows: number;
  readonly windowMs: number;
}

export interface StreamingResult {
  /** The 99th percentile of the event loop's delay in each window, in milliseconds. */
  readonly without: readonly Window[];
  readonly watched: readonly Window[];
  readonly grewBy: number;
  /** The same of the processor's time between two beats, which a busy machine does not lengthen. */
  readonly workGrewBy: number;
  /** Messages that the viewers had. */
  readonly messages: number;
}

/** Two tokens every 40 ms: 50 a second. */
const PIECE = "two tokens ";
const EVERY_MS = 40;
const BEAT_MS = 5;
/** Tasks that one viewer has on its screen. */
const ON_SCREEN = 30;

export async function streaming(options: StreamingOptions): Promise<StreamingResult> {
  const { agents, windows, windowMs } = options;
  let messages = 0;
  const rig = benchRig({
    slots: agents,
    reply: () => {
      const pieces = Math.ceil(((windows * 2 + 4) * (windowMs + 4_000)) / EVERY_MS);
      return Array.from({ length: pieces }).flatMap(() => [say(PIECE), wait(EVERY_MS)]);
    },
  });
  const server = await serveApi(rig.api, { inspection: rig.runtime.inspection });
  const ids: string[] = [];
  for (let at = 0; at < agents; at += 1) ids.push((await rig.api.delegate({ goal: `${at}` })).taskId);
  const url = `ws://127.0.0.1:${server.port}/v1`;
  const [without, watched]: [Window[], Window[]] = [[], []];
  try {
    await delay(systemClock, 1_000);
    for (let at = 0; at < windows; at += 1) {
      without.push(await p99Of(windowMs));
      const open = await look(url, ids, options.viewers);
      await delay(systemClock, 500);
      watched.push(await p99Of(windowMs));
      for (const each of open) {
        messages += (await each.lateness()).messages;
        each.close();
      }
      await delay(systemClock, 500);
    }
  } finally {
    await server.close();
    await rig.close();
  }
  const grew = (of: (window: Window) => number): number =>
    median(watched.map((window, at) => of(window) - of(without[at] as Window)));
  const grewBy = grew(({ delayMs }) => delayMs);
  return { without, watched, grewBy, workGrewBy: grew(({ workMs }) => workMs), messages };
}

/** Each viewer follows all events, the text of what is on its screen, and the machines at work. */
async function look(url: string, ids: readonly string[], viewers: number): Promise<readonly Viewers[]> {
  const screens = Array.from({ length: viewers }, (_, number) => {
    const from = (number * ON_SCREEN) % ids.length;
    return { type: "watch", deltas: ids.slice(from, from + ON_SCREEN) };
  });
  const shared = { clients: viewers, hello: HELLO, reads: false };
  return [
    await Viewers.open({ ...shared, url: `${url}/events`, orders: screens }),
    await Viewers.open({ ...shared, url: `${url}/inspect` }),
  ];
}

interface Window {
  readonly delayMs: number;
  /** Processor time of the event loop's thread from one beat to the next. */
  readonly workMs: number;
}

async function p99Of(windowMs: number): Promise<Window> {
  const histogram = monitorEventLoopDelay({ resolution: BEAT_MS });
  const work: number[] = [];
  let before = threadMs();
  const beat = setInterval(() => {
    const now = threadMs();
    work.push(now - before);
    before = now;
  }, BEAT_MS);
  histogram.enable();
  await delay(systemClock, windowMs);
  histogram.disable();
  clearInterval(beat);
  return { delayMs: histogram.percentile(99) / 1e6, workMs: percentile(work, 0.99) };
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
