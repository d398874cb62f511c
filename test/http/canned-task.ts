// One task of the canned API: what the views are made from.

import type {
  DelegateRequest,
  ListQuery,
  SteerReceipt,
  TaskHandle,
  TaskResult,
  TaskView,
  TreeNode,
} from "../../src/core/api.ts";
import { isTerminal, type Phase, type State } from "../../src/core/lifecycle.ts";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import { textMessage, type TranscriptRow } from "../../src/core/message.ts";
import type { Progress, TaskFailure, TaskKind } from "../../src/core/task.ts";
import type { EventPlace } from "./canned-log.ts";

export interface CannedTask {
  readonly id: string;
  readonly kind: TaskKind;
  readonly parent: CannedTask | null;
  readonly request: DelegateRequest;
  readonly createdAt: number;
  readonly children: CannedTask[];
  readonly steers: SteerReceipt[];
  readonly rows: TranscriptRow[];
  state: State;
  phase: Phase | null;
  turn: number;
  progress: Progress | null;
  result: string | null;
  failure: TaskFailure | null;
  startedAt: number | null;
  finishedAt: number | null;
}

export function ended(task: CannedTask): boolean {
  return isTerminal(task.state);
}

export function rootOf(task: CannedTask): CannedTask {
  return task.parent === null ? task : rootOf(task.parent);
}

/** The task and everything below it. */
export function subtree(task: CannedTask): CannedTask[] {
  return [task, ...task.children.flatMap(subtree)];
}

export function addRow(task: CannedTask, role: "user" | "assistant", text: string): void {
  const origin = role === "assistant" ? "model" : task.rows.length === 0 ? "goal" : "steer";
  task.rows.push({
    taskId: task.id,
    index: task.rows.length + 1,
    seq: task.rows.length + 1,
    run: 1,
    turn: task.turn,
    time: task.createdAt,
    message: textMessage(role, origin, text),
  });
}

export function placeOf(task: CannedTask, time: number): EventPlace {
  const root = rootOf(task);
  return {
    taskId: task.id,
    parentId: task.parent?.id ?? null,
    rootId: root.id,
    sessionId: root.kind === "session" ? root.id : null,
    run: 1,
    turn: task.turn,
    state: task.state,
    phase: task.phase,
    time,
  };
}

export function isListed(task: CannedTask, query: ListQuery): boolean {
  return (
    (query.state === undefined || task.state === query.state) &&
    (query.kind === undefined || task.kind === query.kind) &&
    (query.parentId === undefined || task.parent?.id === query.parentId) &&
    (query.rootId === undefined || rootOf(task).id === query.rootId)
  );
}

export function receiptFor(
  task: CannedTask,
  { steerId, interrupt = false }: { readonly steerId: string; readonly interrupt?: boolean },
  time: number,
): SteerReceipt {
  return { steerId, taskId: task.id, state: "queued", interrupt, turn: null, reason: null, time };
}

export function handleOf(task: CannedTask, created: boolean): TaskHandle {
  const { id, state, phase } = task;
  const queuePosition = phase === "queued" ? 1 : null;
  return {
    taskId: id,
    state,
    phase,
    queuePosition,
    created,
    link: `http://watch.example/${id}`,
    async: true,
    note: null,
  };
}

export function viewOf(task: CannedTask, lastEvent: number): TaskView {
  const { parentId, rootId, sessionId } = placeOf(task, 0);
  return {
    taskId: task.id,
    kind: task.kind,
    parentId,
    rootId,
    sessionId,
    depth: task.parent === null ? 0 : 1,
    role: task.request.role ?? "leaf",
    agent: task.request.agent ?? "default",
    goal: task.request.goal,
    model: { provider: "canned", model: "canned-1", backend: "canned@0" },
    route: null,
    toolsets: task.request.toolsets ?? [],
    workspace: "box:canned:/tmp",
    state: task.state,
    phase: task.phase,
    queuePosition: task.phase === "queued" ? 1 : null,
    waitsFor: task.phase === "queued" ? "its turn" : null,
    run: 1,
    turn: task.turn,
    usage: NO_USAGE,
    spending: { subtree: NO_USAGE, budget: null, remaining: UNLIMITED_BUDGET },
    progress: task.progress,
    steers: task.steers,
    children: task.children.map((child) => child.id),
    tail: task.result === null ? [] : [task.result],
    failure: task.failure,
    createdAt: task.createdAt,
    startedAt: task.startedAt,
    finishedAt: task.finishedAt,
    releasedAt: task.finishedAt,
    lastEvent,
    link: `http://watch.example/${task.id}`,
  };
}

export function resultOf(task: CannedTask): TaskResult {
  const { state, phase, result, failure } = task;
  return {
    taskId: task.id,
    finished: ended(task),
    state,
    phase,
    result,
    truncated: false,
    failure,
    usage: NO_USAGE,
  };
}

export function nodeOf(task: CannedTask): TreeNode {
  return {
    taskId: task.id,
    kind: task.kind,
    agent: "default",
    goal: task.request.goal,
    model: "canned-1",
    state: task.state,
    phase: task.phase,
    queuePosition: null,
    waitsFor: null,
    progress: task.progress,
    lastLine: task.result,
    failure: task.failure,
    usage: NO_USAGE,
    spending: { subtree: NO_USAGE, budget: null, remaining: UNLIMITED_BUDGET },
    createdAt: task.createdAt,
    startedAt: task.startedAt,
    finishedAt: null,
    lastEvent: 0,
    children: task.children.map(nodeOf),
  };
}
