// Runs operations against a store and the reference model side by side, and tells where they part.

import { isDeepStrictEqual } from "node:util";
import type { SimulatedClock } from "../../src/base/clock.ts";
import { TroupeError } from "../../src/base/errors.ts";
import type { CommitWrite, Store } from "../../src/store/store.ts";
import { Invariants } from "./invariants.ts";
import { PARENTS, step, TTL_MS } from "./model.ts";
import type { CommitOp, Model, Op } from "./model.ts";
import { childOf, completion, GOAL, RELEASED, SPAWNED, specimen, STARTED, workspaceOf } from "./specimens.ts";

export interface World {
  readonly store: Store;
  readonly clock: SimulatedClock;
  readonly model: Model;
}

/** Does to the store what the model does, and answers in the model's words. */
async function perform(world: World, op: Op): Promise<unknown> {
  const { store, clock } = world;
  if (op.op === "advance") return clock.advance(op.ms);
  if (op.op === "submit") {
    const parentId = PARENTS[op.task];
    const kin = parentId === undefined ? {} : childOf(parentId);
    const spec = specimen(op.task, { ...kin, requestHash: op.hash, workspace: workspaceOf(op.box) });
    return { created: (await store.submit(spec, SPAWNED)).created };
  }
  if (op.op === "claim") {
    const claims = await store.claim({ owner: op.owner, boxId: op.box, ttlMs: TTL_MS, max: op.max });
    return claims.map(({ taskId, epoch, seq }) => ({ taskId, epoch, seq }));
  }
  if (op.op === "heartbeat") return (await store.heartbeat(op.owner, TTL_MS)).toSorted();
  if (op.op === "release") return (await store.release(op.owner)).toSorted();
  if (op.op === "send") {
    const message = { kind: "steer", id: op.id, from: "person", text: op.text, interrupt: false } as const;
    const { accepted, duplicate, entry } = await store.send(op.task, message);
    return { accepted, duplicate, position: entry?.position ?? null };
  }
  if (op.op === "released") {
    await store.markReleased(op.task, clock.now(), RELEASED);
    return "released";
  }
  if (op.op === "read") return store.markRead(op.task, clock.now());
  if (op.op === "reader" || op.op === "prune") return performKeeping(world, op);
  return performCommit(store, op);
}

async function performKeeping({ store, clock }: World, op: Extract<Op, { op: "reader" | "prune" }>) {
  if (op.op === "reader") {
    await store.moveReader("reader", op.cursor);
    return store.readerCursor("reader");
  }
  const query = { endedBefore: clock.now() - op.ageMs, ...(op.bySize && { maxBytes: 0 }) };
  const { tasks, unread } = await store.prune(query);
  return { tasks, unread };
}

async function performCommit(store: Store, op: CommitOp): Promise<unknown> {
  const record = await store.get(op.task);
  const entries = await store.inbox(op.task, 0);
  const rows = await store.transcript(op.task, {});
  const cursor = entries.filter((entry) => entry.state === "delivered").length;
  const failure = { code: "timeout", message: "Too long.", retryable: false };
  const how = {
    result: op.end === "done" ? "four" : null,
    truncated: false,
    failure: op.end === "failed" ? failure : null,
  };
  const write: CommitWrite = {
    events: Array.from({ length: op.events }, () => STARTED),
    messages: Array.from({ length: op.rows }, () => GOAL),
    ...(op.compact ? { compactedTo: rows.length + op.rows } : {}),
    ...(op.take > 0 ? { inboxCursor: cursor + op.take } : {}),
    turn: op.turn,
    outbox: op.mailTo === null ? [] : [{ to: op.mailTo, message: completion(op.task) }],
    ...(op.end === null ? {} : { terminal: { state: op.end, ...how } }),
  };
  const claim = { taskId: op.task, epoch: (record?.epoch ?? 0) + op.epochOff };
  const { seq, lastIndex } = await store.commit(claim, (record?.seq ?? 0) + op.seqOff, write);
  return { seq, lastIndex };
}

async function answerOf(world: World, op: Op): Promise<unknown> {
  try {
    return await perform(world, op);
  } catch (thrown) {
    if (thrown instanceof TroupeError) return { refused: thrown.code };
    throw thrown;
  }
}

/** What a reader sees of the store, in the model's shape. */
async function seen(store: Store): Promise<unknown> {
  const { items } = await store.list({});
  const tasks = items.map(async ({ spec, state, seq, epoch, turn, releasedAt, readAt }) => ({
    words: { id: spec.id, state, seq, epoch, turn, released: releasedAt !== null, read: readAt !== null },
    inbox: (await store.inbox(spec.id, 0)).map(({ message, ...entry }) => [
      message.id,
      message.kind,
      entry.state,
      entry.turn,
      entry.reason,
    ]),
    rows: (await store.transcript(spec.id, {})).length,
    live: (await store.transcript(spec.id, { live: true })).length,
    cursors: (await store.events({ after: 0, taskId: spec.id })).map((event) => event.cursor),
  }));
  const events = (await store.events({ after: 0 })).map((event) => {
    const { cursor, taskId, seq, type, state, turn } = event;
    return { cursor, taskId, seq, type, state, turn };
  });
  return {
    tasks: await Promise.all(tasks),
    events,
    bounds: await store.bounds(),
    counts: await store.counts(),
  };
}

/** The same of the model. */
function expected(model: Model): unknown {
  const counts = { spawned: 0, running: 0, steering: 0, done: 0, cancelled: 0, failed: 0 };
  for (const { state } of model.tasks) counts[state as "done"] += 1;
  const tasks = model.tasks.map(({ id, state, seq, epoch, turn, released, read, ...task }) => ({
    words: { id, state, seq, epoch, turn, released, read },
    inbox: task.inbox.map((entry) => [entry.id, entry.kind, entry.state, entry.turn, entry.reason]),
    rows: task.rows,
    live: task.rows - task.compactedTo,
    cursors: model.events.filter((event) => event.taskId === id).map((event) => event.cursor),
  }));
  const { newest } = model;
  const bounds = { oldest: model.events[0]?.cursor ?? newest + 1, newest };
  return { tasks, events: model.events, bounds, counts };
}

/** The first step at which the store and the model part, or something breaks whatever the model says. */
export interface Divergence {
  readonly after: Op;
  readonly what: "answer" | "rows" | "refusal that changed rows" | "invariants";
  readonly store: unknown;
  readonly expected: unknown;
}

export interface Comparison {
  /** The store's answers, in order. */
  readonly answers: readonly unknown[];
  readonly divergence: Divergence | null;
}

/** The code of an answer that is a refusal, or `null`. */
export function refusalOf(answer: unknown): string | null {
  return typeof answer === "object" && answer !== null && "refused" in answer ? String(answer.refused) : null;
}

/** Contract: stops at the first divergence; throws only what the store throws that is no TroupeError. */
export async function compare(world: World, ops: readonly Op[]): Promise<Comparison> {
  const { store, model } = world;
  const invariants = new Invariants();
  const answers: unknown[] = [];
  for (const op of ops) {
    const before = await seen(store);
    const answer = await answerOf(world, op);
    const due = step(model, op);
    const after = await seen(store);
    const checks = [
      ["answer", answer, due],
      ["rows", after, expected(model)],
      ["refusal that changed rows", after, refusalOf(answer) === null ? after : before],
      ["invariants", await invariants.broken(store), []],
    ] as const;
    const parted = checks.find(([, got, wanted]) => !isDeepStrictEqual(got, wanted));
    answers.push(answer);
    if (parted !== undefined) {
      return { answers, divergence: { after: op, what: parted[0], store: parted[1], expected: parted[2] } };
    }
  }
  return { answers, divergence: null };
}
