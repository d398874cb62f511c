// A database with as many open tasks as asked, in the mix of a busy box, and what becomes of it when the next server
// takes it up. It is made by two servers: the first stops as it should, the second is killed by its caller.

import { systemClock, type Clock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { textOf } from "../../src/core/message.ts";
import type { Phase } from "../../src/core/lifecycle.ts";
import type { Toolset } from "../../src/core/tool.ts";
import type { Recovery } from "../../src/runtime/resuming.ts";
import type { Store } from "../../src/store/store.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { call, failWith, hang } from "../../providers/script.ts";
import type { Reply } from "../../providers/scripted.ts";
import { benchRig, type BenchRig } from "../rig.ts";
import { look, numberOf, openStore } from "./files.ts";

/** Generations in flight at once on the box that is killed and started again. */
const SLOTS = 8;
/**
 * Of ten open tasks: four wait in the queue, one has asked its person, one is a conversation that listens, one backs off,
 * one waits for its two children, which want to generate.
 */
const TENTHS = { queued: 4, asking: 1, session: 1, backingOff: 1, orchestrator: 1, child: 2 } as const;
/** As long as a server's word is waited for; the next server starts a moment after the crash, by its own clock. */
const PAUSE_MS = 60_000;
const DOWN_MS = 1_000;

/** Parks its task: what a question to a person does. */
const parking: Toolset = {
  name: "parking",
  description: "Parks its task.",
  tools: () => [
    {
      definition: {
        name: "park",
        description: "Parks.",
        parameters: { type: "object", properties: {} },
      },
      repeatable: true,
      run: async () => ({ type: "suspended", wait: { for: "input", prompt: "Which of the two?" } }),
    },
  ],
};

const OVERLOADED = new ProviderError({ kind: "overloaded", code: "overloaded" }, "The server is busy.", {
  retryAfterMs: PAUSE_MS,
});

/** What the goal says. */
function replyTo({ messages }: GenerateRequest): Reply {
  const goal = messages.map(textOf).find((text) => text.startsWith("goal:")) ?? "";
  if (goal.startsWith("goal: ask")) return [call("park", {})];
  if (goal.startsWith("goal: back off")) return [failWith(OVERLOADED)];
  if (goal.startsWith("goal: divide"))
    return [call("delegate_task", { tasks: [{ goal: "goal: left half" }, { goal: "goal: right half" }] })];
  return [hang()];
}

interface Server {
  readonly store: Store;
  readonly slots: number;
  readonly clock?: Clock;
  readonly onGenerate?: () => void;
}

function rigOn({ store, slots, clock = systemClock, onGenerate }: Server): BenchRig {
  return benchRig({
    slots,
    maxChildren: slots,
    store,
    clock,
    reply: (request) => {
      onGenerate?.();
      return replyTo(request);
    },
    toolsets: [parking],
    settings: {
      delegation: {
        maxConcurrentChildren: slots,
        maxSpawnDepth: 1,
        onInterrupt: "continue",
        defaultToolsets: ["parking", "delegation"],
      },
    },
  });
}

async function phasesOf(store: Store): Promise<ReadonlyMap<Phase | null, number>> {
  const found = new Map<Phase | null, number>();
  for (const state of ["spawned", "running"] as const) {
    let cursor: string | undefined;
    do {
      const page = await store.list({ state, limit: 1_000, ...(cursor !== undefined && { cursor }) });
      for (const { phase } of page.items) found.set(phase, (found.get(phase) ?? 0) + 1);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
  return found;
}

/** Waits until so many tasks are in each phase. */
async function settled(store: Store, wanted: Readonly<Partial<Record<Phase, number>>>): Promise<void> {
  const deadline = systemClock.monotonic() + 120_000;
  for (;;) {
    const found = await phasesOf(store);
    const missing = Object.entries(wanted).find(([phase, count]) => found.get(phase as Phase) !== count);
    if (!missing) return;
    if (systemClock.monotonic() > deadline)
      throw new Error(`Expected ${missing.join(" ")}, got ${JSON.stringify([...found])}.`);
    await new Promise((resolve) => void systemClock.after(20, () => resolve(null)));
  }
}

/** Makes the database; its caller then kills this process. Contract: rejects when the mix does not come about. */
export async function prepareOpenTasks(path: string, size: number): Promise<void> {
  const tenth = size / 10;
  // As many slots as tasks, so that each of them gets to where it is to be.
  const first = rigOn({ store: openStore(path, "normal"), slots: size + 1 });
  const { api } = first;
  for (let at = 0; at < tenth * TENTHS.asking; at += 1) await api.delegate({ goal: `goal: ask, ${at}` });
  for (let at = 0; at < tenth * TENTHS.session; at += 1) await api.createSession({});
  for (let at = 0; at < tenth * TENTHS.orchestrator; at += 1)
    await api.delegate({ goal: `goal: divide, ${at}`, role: "orchestrator" });
  for (let at = 0; at < tenth * TENTHS.backingOff; at += 1)
    await api.delegate({ goal: `goal: back off, ${at}` });
  const parked = {
    waiting_input: tenth * (TENTHS.asking + TENTHS.session),
    waiting_children: tenth * TENTHS.orchestrator,
    backing_off: tenth * TENTHS.backingOff,
  };
  await settled(first.store, { ...parked, generating: tenth * TENTHS.child });
  await first.close();
  const store = openStore(path, "normal");
  const second = rigOn({ store, slots: SLOTS });
  await second.runtime.recover();
  const queued = tenth * TENTHS.queued;
  for (let at = 0; at < queued; at += 1) await second.api.delegate({ goal: `goal: queue, ${at}` });
  // Children that generated before the stop have that word in their rows until their next turn, also while they wait.
  await settled(store, { ...parked, queued, generating: tenth * TENTHS.child });
}

/** The machine's clock, set to a moment after the last event of a database. */
function clockAfter(path: string): Clock {
  const last = look(path, (db) => numberOf(db, "SELECT max(time) FROM events"));
  const behindMs = systemClock.now() - last - DOWN_MS;
  return { ...systemClock, now: () => systemClock.now() - behindMs };
}

export interface Recovered {
  readonly openMs: number;
  readonly recoverMs: number;
  /** What the processor worked for both, which a busy machine does not stretch as much. */
  readonly cpuMs: number;
  /** From the end of `recover` to the first generation: below 0 when it began before. */
  readonly firstTurnMs: number;
  /** The same to the moment when every slot has one. */
  readonly allSlotsMs: number;
  readonly found: Recovery;
  readonly problems: readonly string[];
}

/** Takes a database up as a server that starts. */
export async function recoverOpenTasks(path: string, size: number): Promise<Recovered> {
  const begun: number[] = [];
  const clock = clockAfter(path);
  const cpu = process.cpuUsage();
  const start = systemClock.monotonic();
  const store = openStore(path, "full", clock);
  const openMs = systemClock.monotonic() - start;
  const onGenerate = (): void => void begun.push(systemClock.monotonic());
  const rig = rigOn({ store, slots: SLOTS, clock, onGenerate });
  const from = systemClock.monotonic();
  const found = await rig.runtime.recover();
  const end = systemClock.monotonic();
  const { user, system } = process.cpuUsage(cpu);
  while (begun.length < SLOTS) await new Promise((resolve) => void systemClock.after(1, () => resolve(null)));
  const problems: string[] = [];
  const { living } = rig.runtime.counts();
  const { resumed, queued, failed } = found;
  if (living !== size || resumed + queued !== size || failed !== 0 || queued !== (size / 10) * TENTHS.queued)
    problems.push(`${living} living, ${JSON.stringify(found)} for ${size} open tasks`);
  const ends = await store.events({ after: 0, types: ["task.done", "task.failed", "task.cancelled"] });
  if (ends.length > 0) problems.push(`${ends.length} tasks ended`);
  if (begun.length !== SLOTS) problems.push(`${begun.length} generations in ${SLOTS} slots`);
  await rig.close();
  const [first = Number.NaN] = begun;
  return {
    openMs,
    recoverMs: end - from,
    cpuMs: (user + system) / 1_000,
    firstTurnMs: first - end,
    allSlotsMs: (begun.at(-1) ?? Number.NaN) - end,
    found,
    problems,
  };
}
