// Between a model's words and the API's: requests from arguments, and what a model is told of handles, views and
// results. Every answer about a child that has not ended says so, so that no result is made up.

import { ToolError } from "../base/errors.ts";
import type { DelegateRequest, TaskHandle, TaskView } from "../core/api.ts";
import { isTerminal } from "../core/lifecycle.ts";
import { BUDGET_KINDS, usedOf, type TreeBudget } from "../core/limits.ts";
import type { Progress } from "../core/task.ts";
import type { ToolContext } from "../core/tool.ts";
import { worktreeLine, type Isolation } from "../core/worktree.ts";
import { fromWire, snakeKey, toWire } from "../core/wire.ts";

export type Input = Readonly<Record<string, unknown>>;

/** The child that a call is about. Throws ToolError for the agent itself, which could wait for itself for ever. */
export function idOf(input: Input, context: Pick<ToolContext, "taskId">): string {
  const taskId = String(input["task_id"]);
  if (taskId !== context.taskId) return taskId;
  throw new ToolError(
    "own_task",
    `Expected the task_id of a child and got ${taskId}, which is this agent's own. Call list_tasks for its children.`,
  );
}

/** The requests of a call: `tasks`, or the one goal beside it. */
export function requestsOf(input: Input, context: ToolContext): readonly DelegateRequest[] {
  const tasks = input["tasks"];
  if (tasks === undefined) {
    if (typeof input["goal"] === "string") return [requestOf(input, context, 0)];
    throw new ToolError("bad_arguments", "Expected goal, or tasks with a goal each, and got neither.");
  }
  if (input["goal"] !== undefined) {
    throw new ToolError(
      "bad_arguments",
      "Expected either goal or tasks and got both. Put every goal into tasks.",
    );
  }
  return (tasks as readonly Input[]).map((task, index) => requestOf(task, context, index));
}

/** Each call creates its children once, however often it runs: the key is the call and the place in it. */
export function requestOf(input: Input, context: ToolContext, index: number): DelegateRequest {
  const { goal, context: background, agent, toolsets, role, isolation, budget } = input;
  return {
    goal: String(goal),
    idempotencyKey: `${context.callId}/${index}`,
    ...(background !== undefined && { context: background as string }),
    ...(agent !== undefined && { agent: agent as string }),
    ...(toolsets !== undefined && { toolsets: toolsets as readonly string[] }),
    ...(role !== undefined && { role: role as "leaf" | "orchestrator" }),
    ...(isolation !== undefined && { isolation: isolation as Isolation }),
    ...(budget !== undefined && { budget: fromWire(budget) as Partial<TreeBudget> }),
  };
}

export function started(handle: TaskHandle): Readonly<Record<string, unknown>> {
  return {
    task_id: handle.taskId,
    state: handle.state,
    phase: handle.phase,
    ...(handle.queuePosition !== null && { queue_position: handle.queuePosition }),
    ...(handle.link !== null && { link: handle.link }),
    note: `Started. Its result will reach you as a message; do not make one up.${handle.note === null ? "" : ` ${handle.note}`}`,
  };
}

export function statusOf(view: TaskView): Readonly<Record<string, unknown>> {
  const ended = isTerminal(view.state);
  return {
    task_id: view.taskId,
    state: view.state,
    status: view.state,
    phase: view.phase,
    turn: view.turn,
    ...(view.queuePosition !== null && { queue_position: view.queuePosition }),
    ...(view.waitsFor !== null && { waits_for: view.waitsFor }),
    ...(view.route &&
      view.route.reroutes.length > 0 && {
        rerouted: view.route.reroutes.map(({ from, to, reason }) => ({ from, to, reason })),
      }),
    ...(view.progress && { progress: progressOf(view.progress) }),
    ...spentOf(view),
    output_preview: view.tail,
    ...(view.failure && { failure: { code: view.failure.code, message: view.failure.message } }),
    note: ended ? "Ended. collect_task returns its result." : "Not finished: there is no result yet.",
  };
}

/** What it has used, with all below it where it has children, and what is left where there is a limit. */
function spentOf({ usage, spending, children }: TaskView): Readonly<Record<string, unknown>> {
  const limited = BUDGET_KINDS.filter((kind) => spending.remaining[kind] !== null);
  const remaining = Object.fromEntries(limited.map((kind) => [snakeKey(kind), spending.remaining[kind]]));
  return {
    used: toWire(usedOf(usage)),
    ...(children.length > 0 && { used_with_children: toWire(usedOf(spending.subtree)) }),
    ...(limited.length > 0 && { budget_left: remaining }),
  };
}

function progressOf({ percent, note, partial }: Progress): Readonly<Record<string, unknown>> {
  return { percent, note, ...(partial !== null && { partial_result: partial }) };
}

export interface ChildOutcome {
  readonly task_id: string;
  readonly finished: boolean;
  readonly state: string;
  readonly status: string;
  readonly result?: string;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly truncated?: boolean;
  readonly worktree?: string;
  readonly note?: string;
}

export async function outcomeOf(taskId: string, context: ToolContext): Promise<ChildOutcome> {
  const outcome = await context.tasks.collect(taskId, { timeoutMs: 0 });
  return {
    task_id: taskId,
    finished: outcome.finished,
    state: outcome.state,
    status: outcome.state,
    ...(outcome.result !== null && { result: outcome.result }),
    ...(outcome.failure && { failure: { code: outcome.failure.code, message: outcome.failure.message } }),
    ...(outcome.truncated && { truncated: true }),
    ...(outcome.worktree && { worktree: worktreeLine(outcome.worktree) }),
    ...(!outcome.finished && { note: "Not finished: there is no result yet. Do not make one up." }),
  };
}

export function endedIds(outcomes: readonly ChildOutcome[]): readonly string[] {
  return outcomes.filter((outcome) => outcome.finished).map((outcome) => outcome.task_id);
}

/** Characters of an outcome beside its result: ids, states, notes. */
const OUTCOME_CHARS = 320;
/** However many children share one answer, each says at least this much. */
const LEAST_RESULT_CHARS = 200;

/**
 * The outcomes of several children in one answer that the model can take whole: each result gets an equal share, and
 * one that is cut says how to get all of it. Without this the cut in the middle of the answer would take whole children.
 */
export async function outcomesOf(
  taskIds: readonly string[],
  context: ToolContext,
): Promise<readonly ChildOutcome[]> {
  const outcomes = await Promise.all(taskIds.map((taskId) => outcomeOf(taskId, context)));
  const room = Math.floor(context.maxResultChars / Math.max(1, taskIds.length)) - OUTCOME_CHARS;
  const share = Math.max(LEAST_RESULT_CHARS, room);
  return outcomes.map((outcome) => {
    if (outcome.result === undefined || JSON.stringify(outcome.result).length <= share) return outcome;
    const result = `${fitting(outcome.result, share)}…`;
    return { ...outcome, result, truncated: true, note: "Cut to fit; collect_task returns more of it." };
  });
}

/** The longest beginning whose JSON form has at most `chars` characters. */
function fitting(text: string, chars: number): string {
  let end = Math.min(text.length, chars);
  while (end > 0 && JSON.stringify(text.slice(0, end)).length > chars) end = Math.floor(end * 0.9);
  return text.slice(0, end).replace(/[\ud800-\udbff]$/, "");
}

/** An answer about several children, and whose end it tells. */
export function tell(results: readonly ChildOutcome[]): {
  readonly value: unknown;
  readonly delivers: readonly string[];
} {
  return { value: { results }, delivers: endedIds(results) };
}
