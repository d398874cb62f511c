// What the store's tests are made of: specs, events and messages by hand, and the few steps that every clause
// starts from. Each task has a box of its own unless a test says otherwise, so that a claim takes that task only.

import type { NewEvent } from "../../src/core/event.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { textMessage } from "../../src/core/message.ts";
import type { TaskEnd, TaskSpec } from "../../src/core/task.ts";
import type { Claim, InboxMessage, PruneQuery, Store } from "../../src/store/store.ts";

export const SPAWNED: NewEvent = {
  type: "task.spawned",
  data: { goal: "Count the files", agent: "child", model: "tiny", depth: 0 },
};
export const STARTED: NewEvent = { type: "task.started", data: {} };
export const ADMITTED: NewEvent = { type: "task.admitted", data: { waitedMs: 5 } };
export const FINISHED: NewEvent = { type: "task.done", data: { resultChars: 4, truncated: false } };
export const RELEASED: NewEvent = { type: "task.released", data: {} };

export const DONE: TaskEnd = { state: "done", result: "four", truncated: false, failure: null };
export const FAILED: TaskEnd = {
  state: "failed",
  result: null,
  truncated: false,
  failure: { code: "timeout", message: "It took too long.", retryable: false },
};
export const CANCELLED: TaskEnd = { state: "cancelled", result: null, truncated: false, failure: null };

/** Prunes whatever its age: every end of these tests is earlier. */
export const EVER: PruneQuery = { endedBefore: 4_000_000_000_000 };

export const GOAL = textMessage("user", "goal", "Count the files");
export const REPLY = textMessage("assistant", "model", "There are four.");

export function specimen(id: string, parts: Partial<TaskSpec> = {}): TaskSpec {
  return {
    id,
    kind: "task",
    parentId: null,
    rootId: id,
    sessionId: null,
    depth: 0,
    role: "leaf",
    agent: { name: "child", hash: "0".repeat(64), instructions: "Be brief." },
    goal: "Count the files",
    context: null,
    model: { provider: "ollama", model: "tiny", backend: "ollama" },
    toolsets: ["files"],
    workspace: workspaceOf(id),
    limits: DEFAULT_TASK_LIMITS,
    budget: null,
    schedulingClass: "background",
    detached: false,
    outputSchema: null,
    machine: { id: "agent", version: 1 },
    requestHash: `hash of ${id}`,
    createdAt: 1_700_000_000_000,
    traceparent: null,
    ...parts,
  };
}

/** The parts of a spec that make a task the child of another one. */
export function childOf(parentId: string, rootId = parentId): Partial<TaskSpec> {
  return { parentId, rootId, depth: 1 };
}

export function workspaceOf(boxId: string): string {
  return `box:${boxId}:/work`;
}

export async function submitted(store: Store, id: string, parts: Partial<TaskSpec> = {}): Promise<TaskSpec> {
  const spec = specimen(id, parts);
  await store.submit(spec, SPAWNED);
  return spec;
}

/** Submits a task on a box of its own and claims it. */
export async function claimed(store: Store, id: string, parts: Partial<TaskSpec> = {}): Promise<Claim> {
  await submitted(store, id, { ...parts, workspace: workspaceOf(id) });
  return claimOf(store, id);
}

/** Claims the one task that is bound to the box of its own name. */
export async function claimOf(store: Store, id: string, owner = "owner-a"): Promise<Claim> {
  const [claim] = await store.claim({ owner, boxId: id, ttlMs: 60_000, max: 1 });
  if (claim === undefined) throw new Error(`Expected to claim ${id}, got nothing.`);
  return claim;
}

/** Commits the end of a claimed task whose sequence has not moved since its claim. */
export async function end(store: Store, claim: Claim, how: TaskEnd = DONE): Promise<void> {
  await store.commit(claim, claim.seq, { events: [FINISHED], terminal: how });
}

/** Submits, claims and ends a task. */
export async function ended(
  store: Store,
  id: string,
  { how = DONE, ...parts }: Partial<TaskSpec> & { readonly how?: TaskEnd } = {},
): Promise<void> {
  await end(store, await claimed(store, id, parts), how);
}

/** A tree of one task that ended and was read: nothing but age or size keeps it. */
export async function spent(store: Store, id: string): Promise<void> {
  await ended(store, id);
  await store.markRead(id, 1);
}

/** All tasks of the store, in order of submission. */
export async function idsOf(store: Store): Promise<readonly string[]> {
  return (await store.list({ limit: 1_000 })).items.map(({ spec }) => spec.id);
}

export function steer(id: string, text = `steer ${id}`): InboxMessage {
  return { kind: "steer", id, from: "person", text, interrupt: false };
}

export function cancel(id: string): InboxMessage {
  return { kind: "cancel", id, from: "person", reason: "enough", force: false };
}

export function completion(childId: string, how: TaskEnd = DONE): InboxMessage {
  return { kind: "completion", id: childId, end: how, goal: "Count the files" };
}

/** Everything that a reader can see of the tasks, to prove that a refused write changed nothing. */
export async function everything(store: Store, ids: readonly string[]): Promise<unknown> {
  const tasks = ids.map(async (id) => [
    await store.get(id),
    await store.inbox(id, 0),
    await store.transcript(id, {}),
    await store.transcript(id, { live: true }),
    await store.timers(id),
    await store.snapshot(id),
  ]);
  return {
    tasks: await Promise.all(tasks),
    events: await store.events({ after: 0 }),
    bounds: await store.bounds(),
    counts: await store.counts(),
  };
}
