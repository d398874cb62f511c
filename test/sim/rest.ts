// Reads a world that is at rest: all that the store has of each task, and what the last incarnation still holds.

import { usedOf } from "../../src/core/limits.ts";
import type { MemoryStore } from "../../src/store/memory.ts";
import type { Rest, RestTask } from "./check.ts";
import type { Incarnation } from "./incarnation.ts";

const MOST = 100_000;

export interface RestOptions {
  readonly store: MemoryStore;
  readonly current: Incarnation;
  readonly unanswered: readonly string[];
}

export async function readRest({ store, current, unanswered }: RestOptions): Promise<Rest> {
  const timers = current.clock.armed - (await current.idleTimers());
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
    inFlight: [...current.inFlight.values()].reduce((sum, each) => sum + each, 0),
    timers,
    mistaken: mistakenIn(current),
    unanswered,
    usage,
  };
}

function mistakenIn(current: Incarnation): readonly string[] {
  return current.lanes().flatMap(({ backend, profile, residency }) => {
    if (residency === null) return [];
    const isThere = current.serverShows(backend, profile);
    return isThere === (residency === "resident") ? [] : [`${profile} is ${residency}`];
  });
}
