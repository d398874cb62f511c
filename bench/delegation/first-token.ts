// A person's message to its first token while a one-slot server is busy with children, over real sockets. The model's
// own time is the same message in the same kind of session on the idle server; what is left over is patience and us.

import { delay, systemClock } from "../../src/base/clock.ts";
import { messageOf } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { serve } from "../../src/base/listen.ts";
import type { Troupe } from "../../src/compose.ts";
import { DEFAULT_MODELS, type SimulatedModel } from "../../src/simulator/config.ts";
import { say } from "../../src/simulator/policy.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";
import { median } from "../statistics.ts";
import { troupeOn } from "./boxes.ts";

const MODEL = "sim-talker";
const MESSAGE = "Good morning, is anybody there?";
const GOAL = "Write down everything that you know about the sea, at length.";
/** At 60 tokens a second a child writes for minutes, so that the slot is never free by itself. */
const talker: SimulatedModel = {
  ...(DEFAULT_MODELS[3] as SimulatedModel),
  name: MODEL,
  loadMs: 50,
  policy: ({ messages }) =>
    say(messages.some((each) => each.content.includes(GOAL)) ? "and waves ".repeat(5_000) : "Good morning."),
};

export interface FirstTokenOptions {
  readonly patienceS: number;
  readonly rounds: number;
  /** A real server instead of the simulated box. */
  readonly ollama: { readonly url: string; readonly model: string } | null;
}

export interface FirstToken {
  readonly patienceMs: number;
  /** Message to first token on the idle server: median. */
  readonly ownMs: number;
  readonly busyMs: readonly number[];
  /** Each busy wait, less patience and the model's own time. */
  readonly excessMs: readonly number[];
  readonly problems: readonly string[];
}

/** Between rounds: a server needs a moment to see that a client has left. */
const LEAVE_MS = 250;
/** A server that shows no token for so long does not answer any more: the run is void, not endless. */
const GIVE_UP_MS = 30_000;

/** Children beyond the slot; on a real server a child may end by itself, and the next one must be at hand. */
const CHILDREN = { simulated: 3, real: 8 } as const;

export async function firstToken(options: FirstTokenOptions): Promise<FirstToken> {
  const { patienceS, rounds, ollama } = options;
  const box = ollama ? { ...ollama, close: async () => {} } : await simulatedBox();
  const children = ollama ? CHILDREN.real : CHILDREN.simulated;
  const { url, model } = box;
  const troupe = await troupeOn({ url, model, slots: 1, maxChildren: children, patienceS });
  const idle: number[] = [];
  const busy: number[] = [];
  const problems: string[] = [];
  try {
    await onIdle(troupe);
    for (let round = 0; round < rounds; round += 1) {
      idle.push(await onIdle(troupe));
      const { ms, problem } = await onBusy(troupe, children);
      busy.push(ms);
      if (problem !== null) problems.push(problem);
    }
  } catch (thrown) {
    problems.push(messageOf(thrown));
  } finally {
    await troupe.close();
    await box.close();
  }
  if (busy.length === 0)
    return { patienceMs: patienceS * 1_000, ownMs: 0, busyMs: [], excessMs: [], problems };
  const [patienceMs, ownMs] = [patienceS * 1_000, median(idle)];
  const excessMs = busy.map((ms) => ms - patienceMs - ownMs);
  return { patienceMs, ownMs, busyMs: busy, excessMs, problems };
}

async function simulatedBox() {
  const simulator = createSimulator({
    clock: systemClock,
    random: seededRandom(1),
    config: { models: [talker], slots: 1 },
  });
  const listening = await serve((request) => simulator.app.fetch(request), {
    hostname: "127.0.0.1",
    port: 0,
  });
  return {
    url: listening.url,
    model: MODEL,
    close: async () => {
      await listening.close();
      simulator.close();
    },
  };
}

async function onIdle({ api }: Troupe): Promise<number> {
  const session = (await api.createSession({})).taskId;
  const ms = await firstDelta(api, session);
  await api.closeSession(session);
  await delay(systemClock, LEAVE_MS);
  return ms;
}

/** One busy round; the children must all live through it, since a child that is pre-empted goes on later. */
async function onBusy(
  { api, runtime }: Troupe,
  children: number,
): Promise<{ ms: number; problem: string | null }> {
  const session = (await api.createSession({})).taskId;
  for (let at = 0; at < children; at += 1) await api.delegate({ goal: GOAL, parentId: session });
  while (runtime.counts().leases === 0) await delay(systemClock, 5);
  // Longer than a prefill: a child is in the middle of its answer.
  await delay(systemClock, 200);
  const ms = await firstDelta(api, session);
  const { items } = await api.list({ parentId: session });
  const failed = items.filter((child) => child.state === "failed" || child.state === "cancelled");
  await api.closeSession(session);
  const { leases, living } = runtime.counts();
  const left = leases + living;
  await delay(systemClock, LEAVE_MS);
  if (failed.length > 0)
    return { ms, problem: `a child ended as ${failed[0]?.failure?.code ?? "cancelled"}` };
  return { ms, problem: left === 0 ? null : `${left} leases and tasks were left` };
}

/** Milliseconds from a message to the first text of its answer. Rejects when none comes within GIVE_UP_MS. */
async function firstDelta(api: Troupe["api"], session: string): Promise<number> {
  const abort = new AbortController();
  const giveUp = systemClock.after(GIVE_UP_MS, () => abort.abort());
  const first = (async () => {
    for await (const frame of api.events({ taskId: session, deltas: true, signal: abort.signal })) {
      if (frame.kind === "delta") return systemClock.monotonic();
    }
    throw new Error(`The server wrote nothing within ${GIVE_UP_MS / 1_000} s: it no longer answers.`);
  })();
  const start = systemClock.monotonic();
  await api.sendMessage(session, { text: MESSAGE });
  const ms = (await first) - start;
  giveUp.cancel();
  abort.abort();
  return ms;
}
