// What surfaces show of a task: pure functions from its record, its living host's facts and its mail.

import type { RouteView, Spending, SteerReceipt, TaskResult, TaskView, TreeNode } from "../core/api.ts";
import type { Phase, State } from "../core/lifecycle.ts";
import { addUsage, CHECK_LINES, remainingOf, RING_LINE_CHARS, UNLIMITED_BUDGET } from "../core/limits.ts";
import type { TreeBudget, Usage } from "../core/limits.ts";
import type { ModelRef, Reroute, TaskRecord } from "../core/task.ts";
import { namesOf } from "./equal-places.ts";
import { safeSlice } from "./output-ring.ts";
import type { QueuePlace } from "../scheduler/scheduler.ts";
import type { InboxEntry } from "../store/store.ts";

/** What only a living host knows. */
export interface LiveFacts {
  readonly state: State;
  readonly phase: Phase | null;
  readonly place: QueuePlace | null;
  readonly liveChildren: number;
  /** What it waits for before its next try, in words; `null` where that is the time alone. */
  readonly pause: string | null;
  /** Its model server is away, and since when; `null` while it is not known to be. */
  readonly outage: string | null;
  readonly reroutes: readonly Reroute[];
  readonly tail: readonly string[];
  /** Who is asked, and what, in words; `null` when nobody is. */
  readonly question: string | null;
  /** What its ledgers leave; `null` when it books in none any more. */
  readonly remaining: TreeBudget | null;
}

/** The facts of a task that has no host any more. */
export function endedFacts(record: TaskRecord): LiveFacts {
  const lines = (record.end?.result ?? "").split("\n").slice(-CHECK_LINES);
  const tail =
    lines[0] === "" && lines.length === 1 ? [] : lines.map((line) => safeSlice(line, RING_LINE_CHARS));
  const reroutes = record.end?.reroutes ?? [];
  return {
    state: record.state,
    phase: record.phase,
    place: null,
    liveChildren: 0,
    pause: null,
    outage: null,
    reroutes,
    tail,
    question: null,
    remaining: null,
  };
}

/** The model that a task runs on now, or ran on last. */
function modelOf({ spec }: TaskRecord, { reroutes }: Pick<LiveFacts, "reroutes">): ModelRef {
  return reroutes.at(-1)?.to ?? spec.model;
}

function routeView({ spec: { route } }: TaskRecord, { reroutes }: LiveFacts): RouteView | null {
  if (!route) return null;
  const name = ({ provider, model }: ModelRef): string => `${provider}/${model}`;
  return {
    candidates: route.candidates.map(name),
    skipped: route.skipped,
    reroutes: reroutes.map((each) => {
      const { code, reason, time } = each;
      return { ...namesOf(each), code, reason, time };
    }),
  };
}

/** What a task and all below it have used. Of a task that has ended its own budget says what was left. */
export function spendingOf({ spec }: TaskRecord, facts: LiveFacts, subtree: Usage): Spending {
  const { budget } = spec;
  return { subtree, budget, remaining: facts.remaining ?? remainingOf(budget ?? UNLIMITED_BUDGET, subtree) };
}

/** Why a task waits, in words; null when it does not. */
export function waitsFor(facts: LiveFacts): string | null {
  if (facts.place) return [facts.place.reason, facts.outage].filter((each) => each !== null).join("; ");
  if (facts.phase === "waiting_children") return `${facts.liveChildren} living children`;
  if (facts.phase === "waiting_input") return facts.question ?? "a person";
  if (facts.phase === "backing_off") return facts.outage ?? facts.pause ?? "its next try";
  return null;
}

export function taskView(
  record: TaskRecord,
  facts: LiveFacts,
  rest: {
    readonly steers: readonly SteerReceipt[];
    readonly children: readonly string[];
    /** What it and all below it have used. */
    readonly subtree: Usage;
    readonly link: string | null;
  },
): TaskView {
  const { spec } = record;
  return {
    taskId: spec.id,
    kind: spec.kind,
    parentId: spec.parentId,
    rootId: spec.rootId,
    sessionId: spec.sessionId,
    depth: spec.depth,
    role: spec.role,
    agent: spec.agent.name,
    goal: spec.goal,
    model: modelOf(record, facts),
    route: routeView(record, facts),
    toolsets: spec.toolsets,
    workspace: spec.workspace,
    state: facts.state,
    phase: facts.phase,
    queuePosition: facts.place?.position ?? null,
    waitsFor: waitsFor(facts),
    run: record.run,
    turn: record.turn,
    usage: record.usage,
    spending: spendingOf(record, facts, rest.subtree),
    progress: record.progress,
    steers: rest.steers,
    children: rest.children,
    tail: facts.tail,
    failure: record.end?.failure ?? null,
    createdAt: spec.createdAt,
    startedAt: record.startedAt,
    finishedAt: record.finishedAt,
    releasedAt: record.releasedAt,
    lastEvent: record.seq,
    link: rest.link,
  };
}

export function resultOf(record: TaskRecord, facts: Pick<LiveFacts, "state" | "phase">): TaskResult {
  return {
    taskId: record.spec.id,
    finished: record.end !== null,
    state: facts.state,
    phase: facts.phase,
    result: record.end?.result ?? null,
    truncated: record.end?.truncated ?? false,
    failure: record.end?.failure ?? null,
    usage: record.usage,
    ...(record.end?.worktree && { worktree: record.end.worktree }),
  };
}

export function treeNode(record: TaskRecord, facts: LiveFacts, children: readonly TreeNode[]): TreeNode {
  const { spec } = record;
  const subtree = children.reduce((sum, { spending }) => addUsage(sum, spending.subtree), record.usage);
  return {
    taskId: spec.id,
    kind: spec.kind,
    agent: spec.agent.name,
    goal: spec.goal,
    model: modelOf(record, facts).model,
    state: facts.state,
    phase: facts.phase,
    queuePosition: facts.place?.position ?? null,
    waitsFor: waitsFor(facts),
    progress: record.progress,
    lastLine: facts.tail.at(-1) ?? null,
    failure: record.end?.failure ?? null,
    usage: record.usage,
    spending: spendingOf(record, facts, subtree),
    createdAt: spec.createdAt,
    startedAt: record.startedAt,
    finishedAt: record.finishedAt,
    lastEvent: record.seq,
    children,
  };
}

/** The receipt of a steer, a chat message or an answer; null for other mail. */
export function receiptOf(entry: InboxEntry): SteerReceipt | null {
  const { message } = entry;
  if (message.kind === "completion" || message.kind === "question" || message.kind === "cancel") return null;
  return {
    steerId: message.id,
    taskId: entry.taskId,
    state: entry.state,
    interrupt: message.kind === "steer" && message.interrupt,
    turn: entry.turn,
    reason: entry.reason,
    time: entry.time,
  };
}
