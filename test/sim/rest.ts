// Reads a world that is at rest: all that the store has of each task, and what the last incarnation still holds.

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
  const usage = new Map<string, { readonly tokens: number; readonly toolCalls: number }>();
  const { items } = await store.list({ limit: MOST });
  for (const record of items) {
    const { id, parentId } = record.spec;
    const events = await store.events({ after: 0, taskId: id, limit: MOST });
    const inbox = await store.inbox(id, 0);
    const transcript = await store.transcript(id, { limit: MOST });
    tasks.set(id, { record, events, inbox, transcript });
    if (parentId !== null) continue;
    const { promptTokens, outputTokens, toolCalls } = await store.treeUsage(id);
    usage.set(id, { tokens: promptTokens + outputTokens, toolCalls });
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
