// How tasks, trees and events look as lines. Pure: views in, spans out.

import type { SteerReceipt, TaskResult, TaskView, TreeNode } from "../core/api.ts";
import type { EventData, EventType, StoredEvent } from "../core/event.ts";
import { SERVER_AWAY, type Phase, type State } from "../core/lifecycle.ts";
import { BUDGET_KINDS, usedOf, type TreeBudget, type Usage } from "../core/limits.ts";
import { shortId } from "./connection.ts";
import { oneLine } from "./printable.ts";
import { table } from "./table.ts";
import { stateSpan, type Line, type Span } from "./printer.ts";

const GOAL_CHARS = 60;
/** Room for why a task waits or failed: an address and a time fit in, and three models. */
const WHY_CHARS = 240;

/** `47s`, `12m`, `3h`, `2d`: one unit, rounded down. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** `1 task`, `3 tasks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The phase, and the place in the queue where there is one: `queued #2`. */
function phaseText({ phase, queuePosition }: { phase: Phase | null; queuePosition: number | null }): string {
  if (phase === null) return "";
  return queuePosition === null ? phase : `${phase} #${queuePosition}`;
}

/** How each kind of use is told: `5300 tokens`, `0.0421 cost`, `12.3 s of GPU`, `4 tool calls`. */
const KIND_TEXTS: Readonly<Record<keyof TreeBudget, (amount: number) => string>> = {
  tokens: (amount) => counted(amount, "token"),
  // In whole units of the account's currency, which nobody has told us.
  costMicros: (amount) => `${Number((amount / 1_000_000).toFixed(6))} cost`,
  gpuMs: (amount) => (amount < 1_000 ? `${amount} ms of GPU` : `${(amount / 1_000).toFixed(1)} s of GPU`),
  toolCalls: (amount) => counted(amount, "tool call"),
};

/** What was used, without what was not used at all. */
function usedText(usage: Usage): string {
  const used = usedOf(usage);
  const kinds = BUDGET_KINDS.filter((kind) => used[kind] > 0);
  return kinds.map((kind) => KIND_TEXTS[kind](used[kind])).join(", ") || "nothing";
}

/** The limits that there are; empty when there are none. */
function limitsText(budget: TreeBudget): string {
  return BUDGET_KINDS.flatMap((kind) => {
    const limit = budget[kind];
    return limit === null ? [] : [KIND_TEXTS[kind](limit)];
  }).join(", ");
}

/** Why a task waits, or failed; empty for one that does neither. */
function whyText({ waitsFor, failure }: Pick<TreeNode, "waitsFor" | "failure">): string {
  if (failure !== null) return oneLine(`${failure.code}: ${failure.message}`, WHY_CHARS);
  return waitsFor === null ? "" : oneLine(waitsFor, WHY_CHARS);
}

/** A table of tasks with a heading; with a column of reasons where there are any. */
export function taskTable(tasks: readonly TaskView[], now: number): readonly Line[] {
  const reasons = tasks.map(whyText);
  const hasReasons = reasons.some((reason) => reason !== "");
  const heading = [
    "ID",
    "STATE",
    "PHASE",
    "AGENT",
    "MODEL",
    "AGE",
    "USED",
    "GOAL",
    ...(hasReasons ? ["WHY"] : []),
  ];
  const rows = tasks.map((task, at) => [
    shortId(task.taskId),
    task.state,
    phaseText(task),
    oneLine(task.agent, 20),
    oneLine(task.model.model, 30),
    age(now - task.createdAt),
    usedText(task.spending.subtree),
    task.kind === "session" ? "(session)" : oneLine(task.goal, GOAL_CHARS),
    ...(hasReasons ? [reasons[at] as string] : []),
  ]);
  return table(heading, rows, (text, { row, column }) =>
    column === 1 ? stateSpan((tasks[row] as TaskView).state, text) : text,
  );
}

/** Everything of one task, a line each. */
export function taskDetails(task: TaskView, now: number): readonly Line[] {
  const { usage, spending } = task;
  const times = [
    `created ${age(now - task.createdAt)} ago`,
    ...(task.startedAt === null ? [] : [`started ${age(now - task.startedAt)} ago`]),
    ...(task.finishedAt === null ? [] : [`finished ${age(now - task.finishedAt)} ago`]),
  ];
  const rows: readonly (readonly [string, Span])[] = [
    ["task", task.taskId],
    ["state", stateSpan(task.state, `${task.state} ${phaseText(task)}`.trim())],
    ...(task.waitsFor === null ? [] : ([["waits", task.waitsFor]] as const)),
    ["goal", task.kind === "session" ? "(session)" : oneLine(task.goal, 500)],
    ["agent", `${task.agent}, ${task.role}, depth ${task.depth}`],
    ["model", `${task.model.provider}/${task.model.model}`],
    ...routeRows(task),
    ["toolsets", task.toolsets.join(", ") || "none"],
    ["workspace", task.workspace],
    ...(task.parentId === null ? [] : ([["parent", task.parentId]] as const)),
    ["times", times.join(", ")],
    ["turns", `${task.turn} in ${task.run} ${task.run === 1 ? "run" : "runs"}`],
    ["used", `${usedText(usage)}; ${usage.promptTokens} tokens read, ${usage.outputTokens} written`],
    ...(task.children.length === 0 ? [] : ([["subtree", usedText(spending.subtree)]] as const)),
    ...(spending.budget === null || limitsText(spending.budget) === ""
      ? []
      : ([["budget", limitsText(spending.budget)]] as const)),
    ...(limitsText(spending.remaining) === "" ? [] : ([["left", limitsText(spending.remaining)]] as const)),
    ...(task.progress === null ? [] : ([["progress", progressText(task.progress)]] as const)),
    ...(task.failure === null
      ? []
      : ([["failure", ["red", `${task.failure.code}: ${task.failure.message}`]]] as const)),
    ...task.steers.map((steer) => ["steer", receiptText(steer)] as const),
    ...task.children.map((child) => ["child", child] as const),
    ...task.tail.map((line) => ["output", line] as const),
  ];
  return rows.map(([name, value]): Line => [["dim", `${name.padEnd(10)} `], value]);
}

/** Where else it may run, what was passed over, and where it went. */
function routeRows({ route }: TaskView): readonly (readonly [string, Span])[] {
  if (route === null) return [];
  return [
    ["route", route.candidates.join(", then ")],
    ...route.skipped.map(({ model, reason }) => ["passed", `${model}: ${reason}`] as const),
    ...route.reroutes.map(
      ({ from, to, reason }) => ["rerouted", `${from} → ${to}: ${oneLine(reason, 300)}`] as const,
    ),
  ];
}

function progressText({ percent, note }: { percent: number | null; note: string | null }): string {
  return [percent === null ? null : `${percent} %`, note].filter((part) => part !== null).join(" ");
}

/** What became of a message. */
export function receiptText(receipt: SteerReceipt): string {
  const { steerId, state, turn, reason } = receipt;
  if (state === "delivered") return `${steerId} delivered${turn === null ? "" : ` in turn ${turn}`}`;
  return `${steerId} ${state}${reason === null ? "" : `: ${reason}`}`;
}

/** Whole trees, one line for each task. */
export function treeLines(nodes: readonly TreeNode[]): readonly Line[] {
  const below = (node: TreeNode, indent: string): readonly Line[] =>
    node.children.flatMap((child, index) => {
      const isLast = index === node.children.length - 1;
      return [
        [["dim", `${indent}${isLast ? "└─ " : "├─ "}`], ...nodeSpans(child)] as Line,
        ...below(child, `${indent}${isLast ? "   " : "│  "}`),
      ];
    });
  return nodes.flatMap((node) => [nodeSpans(node), ...below(node, "")]);
}

function nodeSpans(node: TreeNode): readonly Span[] {
  const phase = phaseText(node);
  const what = node.kind === "session" ? "session" : oneLine(node.goal, GOAL_CHARS);
  const { subtree, remaining } = node.spending;
  // Of a child that has no budget of its own the root tells what is left.
  const left = node.spending.budget === null ? "" : limitsText(remaining);
  const used =
    subtree.generations + subtree.toolCalls === 0
      ? ""
      : `, used ${usedText(subtree)}${left === "" ? "" : ` (left: ${left})`}`;
  const waits = node.waitsFor === null ? "" : `, waits: ${oneLine(node.waitsFor, WHY_CHARS)}`;
  const last =
    node.lastLine === null || node.lastLine === "" ? "" : `  ${oneLine(node.lastLine, GOAL_CHARS)}`;
  return [
    shortId(node.taskId),
    "  ",
    stateSpan(node.state, phase === "" ? node.state : `${node.state} ${phase}`),
    `  ${what}`,
    ["dim", `  ${oneLine(node.model, 30)}${used}${waits}${last}`],
    ...(node.failure === null ? [] : [["red", `  ${whyText(node)}`] as const]),
  ];
}

/** How a task ended, in a line. */
export function endLine(taskId: string, state: State, goal: string): readonly Span[] {
  return [shortId(taskId), " ", stateSpan(state), goal === "" ? "" : `: ${oneLine(goal, GOAL_CHARS)}`];
}

/** Why there is no result, where there is none. */
export function failureText({ state, failure }: TaskResult): string {
  return failure === null ? `the task is ${state}` : `the task failed (${failure.code}): ${failure.message}`;
}

type Teller = { readonly [T in EventType]?: (data: EventData[T]) => string };

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** The events that a person who follows a task wants to read; the others are too many or too small. */
const TELLERS: Teller = {
  "task.spawned": ({ agent, model }) => `spawned as ${agent} on ${model}`,
  "task.admitted": ({ waitedMs }) => `admitted after ${seconds(waitedMs)}`,
  "task.started": () => "started",
  "task.rerouted": ({ from, to, reason }) => `goes on with ${to} instead of ${from}: ${reason}`,
  "task.done": ({ resultChars, truncated }) => `done, ${resultChars} characters${truncated ? ", cut" : ""}`,
  "task.failed": ({ code, message }) => `failed (${code}): ${message}`,
  "task.cancelled": ({ reason }) => `cancelled: ${reason}`,
  "task.progressed": ({ percent, note }) => `progress: ${progressText({ percent, note })}`,
  "run.failed": ({ code, message }) => `run failed (${code}): ${message}`,
  "generation.preempted": ({ by }) => `gave way to ${by}`,
  "credential.rotated": ({ provider, from, to, message }) =>
    `goes on with the key ${to} of ${provider} after ${from}: ${message}`,
  "generation.retried": ({ code, message, retryInMs }) =>
    code === SERVER_AWAY ? `waits: ${message}` : `tries again in ${seconds(retryInMs)}: ${message}`,
  "tool.requested": ({ tool, input }) => `→ ${tool} ${JSON.stringify(input ?? {})}`,
  "tool.finished": ({ tool, isError, chars }) => `← ${tool}: ${isError ? "an error" : `${chars} characters`}`,
  "tool.suspended": ({ tool, waitsFor, prompt }) =>
    prompt === undefined ? `${tool} waits for ${waitsFor}` : `${tool} asks: ${prompt}`,
  "steer.queued": ({ steerId }) => `steer ${steerId} queued`,
  "steer.delivered": ({ steerId }) => `steer ${steerId} delivered`,
  "steer.undelivered": ({ steerId, reason }) => `steer ${steerId} undelivered: ${reason}`,
  "child.completed": ({ childId, state }) => `child ${shortId(childId)} ${state}`,
  "transcript.compacted": ({ droppedRows }) => `transcript compacted: ${droppedRows} messages became one`,
  "budget.warned": ({ budgetOf, kind, used, limit }) =>
    `${used} of ${limit} ${kind} are used in the budget of ${shortId(budgetOf)}`,
  "cancel.requested": ({ reason, force }) => `cancel requested${force ? " by force" : ""}: ${reason}`,
};

/** The event in words; `null` for one that is not told. */
export function eventText(event: StoredEvent): string | null {
  const tell = TELLERS[event.type] as ((data: StoredEvent["data"]) => string) | undefined;
  return tell === undefined ? null : oneLine(tell(event.data), 200);
}

/** Whether this is the one event that ends a task; those committed with it already carry its last state. */
export function isEnd(event: StoredEvent): boolean {
  return event.type === "task.done" || event.type === "task.failed" || event.type === "task.cancelled";
}

/** The time of day at which something happened, as this machine has it. */
export function timeOfDay(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}
