// Specs, claims and mail as the units of the runtime take them, each valid and dull.

import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { silentLogger, type Logger } from "../../src/base/log.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { DEFAULT_TASK_LIMITS, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import { StallWatch, type StallWatchOptions } from "../../src/runtime/stall-watch.ts";
import { StorePatience } from "../../src/runtime/store-patience.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import type { Claim, InboxMessage } from "../../src/store/store.ts";
import { MODEL } from "./rig.ts";

export function specOf(rest: Partial<TaskSpec> = {}): TaskSpec {
  const id = rest.id ?? "task_1";
  return {
    id,
    kind: "task",
    parentId: null,
    rootId: id,
    sessionId: null,
    depth: 0,
    role: "leaf",
    agent: { name: "child", hash: "", instructions: "You are child." },
    goal: "dig",
    context: null,
    model: MODEL,
    toolsets: [],
    workspace: "box:testbox:/tmp",
    limits: DEFAULT_TASK_LIMITS,
    budget: UNLIMITED_BUDGET,
    schedulingClass: "background",
    detached: false,
    outputSchema: null,
    machine: { id: "agent", version: 1 },
    requestHash: "",
    createdAt: 0,
    traceparent: null,
    ...rest,
  };
}

export function steer(
  id: string,
  rest: Partial<Extract<InboxMessage, { kind: "steer" }>> = {},
): InboxMessage {
  return { kind: "steer", id, from: "person:operator", text: `word ${id}`, interrupt: false, ...rest };
}

/** A question of the child `childId`. */
export function question(childId: string): InboxMessage {
  const questionId = "call_1_1";
  const from = `agent:${childId}`;
  return { kind: "question", id: `${childId}/${questionId}`, from, childId, questionId, text: "which?" };
}

export function completion(id: string): InboxMessage {
  const end = { state: "done" as const, result: "gold", truncated: false, failure: null };
  return { kind: "completion", id, end, goal: "dig" };
}

/** A store with one claimed task. */
export interface Desk {
  readonly clock: SimulatedClock;
  readonly store: MemoryStore;
  readonly patience: StorePatience;
  readonly closing: AbortController;
  readonly claim: Claim;
}

export async function desk(rest: Partial<TaskSpec> = {}, logger: Logger = silentLogger): Promise<Desk> {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) });
  const closing = new AbortController();
  const data = { goal: "dig", agent: "child", model: "gpu/child", depth: 0 };
  await store.submit(specOf(rest), { type: "task.spawned", data });
  const [claim] = await store.claim({ owner: "box_1", boxId: "testbox", ttlMs: 60_000, max: 1 });
  const patience = new StorePatience({ clock, logger, closing: closing.signal });
  return { clock, store, patience, closing, claim: claim as Claim };
}

/** A watch with the limit of most tasks, for whoever is not asked what becomes of a stall. */
export function stallWatch(rest: Pick<StallWatchOptions, "clock"> & Partial<StallWatchOptions>): StallWatch {
  return new StallWatch({
    ms: DEFAULT_TASK_LIMITS.stallMs,
    letGoMs: 10_000,
    what: "no token",
    signal: new AbortController().signal,
    errorOf: ({ what }) => new ProviderError({ kind: "timeout", code: "stalled" }, what),
    onStall: () => {},
    onLeft: () => {},
    ...rest,
  });
}
