// Reads a world that is at rest: all that the store has of each task, and what the last incarnation still holds.

import { usedOf } from "../../src/core/limits.ts";
import type { MemoryStore } from "../../src/store/memory.ts";
import type { Rest, RestTask } from "./check.ts";
import type { Incarnation } from "./incarnation.ts";

const MOST = 100_000;
/** The heartbeat of the claims, and whatever else a server without work keeps armed. */
const IDLE_TIMERS = 1;

export interface RestOptions {
  readonly store: MemoryStore;
  readonly current: Incarnation;
  readonly unanswered: readonly string[];
}

export async function readRest({ store, current, unanswered }: RestOptions): Promise<Rest> {
  const tasks = new Map<string, RestTask>();
  const usage = new Map<string, ReturnType<typeof usedOf>>();
  const { items } = await store.list({ limit: MOST });
  for (const record of items) {
    const { id, budget } = record.spec;
    const events = await store.events({ after: 0, taskId: id, limit: MOST });
    const inbox = await store.inbox(id, 0);
    const transcript = await store.transcript(id, { limit: MOST });
    tasks.set(id, { record, events, inbox, transcript });
    if (budget !== null) usage.set(id, usedOf(await store.treeUsage(id)));
  }
  return {
    tasks,
    held: current.runtime.counts(),
    inFlight: current.provider.inFlight,
    timers: current.clock.armed - IDLE_TIMERS,
    unanswered,
    usage,
  };
}
