// The figures of the demo and its verdict: pure arithmetic over what was recorded. Everything that the demo promises
// is a check here, so that a demo which only looked well exits with 1.

import type { TaskResult, TaskView } from "../core/api.ts";
import type { State } from "../core/lifecycle.ts";
import type { CrashReport, Kill } from "./demo-crash-facts.ts";
import type { DemoBox } from "./demo-box.ts";
import type { Call, Child, Message, Wait } from "./demo-facts.ts";
import type { DemoRecord } from "./demo-record.ts";
import { FOLLOWED, GOALS, STEER_TEXT } from "./demo-story.ts";

/** What a busy machine may make of a call that takes milliseconds; one that waits for its child takes many seconds. */
const LONGEST_BLOCKED_MS = 1_000;
/** What a message may wait beyond the patience of its turn. */
const WAIT_TOLERANCE_MS = 100;

export interface ReportInput {
  readonly record: Pick<DemoRecord, "sessionId" | "messages" | "calls" | "waits" | "children">;
  readonly box: Pick<DemoBox, "backend" | "parent" | "followsSteers">;
  readonly models: { readonly parent: string; readonly children: string };
  readonly patienceMs: number;
  readonly elapsedMs: number;
  /** Why the story did not come to its end; `null` when it did. */
  readonly broken: string | null;
  /** The children as they are at the end. */
  readonly tasks: readonly { readonly view: TaskView; readonly result: TaskResult }[];
  /** `null` where no server was killed. */
  readonly crash: CrashReport | null;
}

export interface Check {
  /** In the present tense. */
  readonly name: string;
  readonly held: boolean;
}

export interface WaitRow {
  readonly who: "person" | "parent" | "child";
  readonly taskId: string;
  readonly for: string;
  readonly times: number;
  readonly longestMs: number;
  readonly totalMs: number;
}

export interface MessageRow {
  readonly messageId: string;
  readonly text: string;
  /** From sending it until it was handed to the model server, less the time in which none of ours was running. */
  readonly waitMs: number | null;
  /** From sending it to the first token, and the model's own part of that. */
  readonly firstTokenMs: number | null;
  readonly modelMs: number | null;
  readonly answeredMs: number | null;
  readonly tasksRunning: number | null;
  readonly answer: string | null;
}

export interface TaskRow {
  readonly taskId: string;
  readonly parentId: string | null;
  readonly goal: string;
  readonly model: string;
  readonly toolsets: readonly string[];
  readonly state: State;
  readonly turns: number;
  readonly steers: readonly {
    readonly steerId: string;
    readonly state: string;
    readonly turn: number | null;
  }[];
  readonly result: string | null;
  readonly failure: TaskResult["failure"];
  readonly ranMs: number | null;
}

export interface DemoReport {
  readonly backend: DemoBox["backend"];
  readonly passed: boolean;
  readonly failures: readonly string[];
  readonly person: "scripted";
  readonly parent: DemoBox["parent"];
  readonly models: ReportInput["models"];
  readonly elapsedMs: number;
  readonly conversation: {
    /** The longest that any call to delegate, check, steer or cancel held the conversation. */
    readonly longestBlockedMs: number;
    /** The longest of a message to its first token, less the model's own time to it. */
    readonly longestWaitMs: number;
    readonly patienceMs: number;
    /** Messages that were sent and answered while children had not ended. */
    readonly answeredWhileRunning: number;
    readonly messages: readonly MessageRow[];
    readonly calls: readonly Call[];
  };
  readonly tasks: readonly TaskRow[];
  readonly waits: readonly WaitRow[];
  readonly checks: readonly Check[];
  /** Only where a server was killed. */
  readonly crash?: CrashReport;
}

const round = (ms: number): number => Math.round(ms * 10) / 10;
const since = (from: number, to: number | null): number | null =>
  to === null ? null : Math.max(0, to - from);

/** Milliseconds between the two in which no server was there to wait for. */
function outageIn(from: number, to: number | null, kill: Kill | null): number {
  if (kill === null || to === null) return 0;
  return Math.max(0, Math.min(to, kill.at + kill.downMs) - Math.max(from, kill.at));
}

function messageRow(message: Message, kill: Kill | null): MessageRow {
  const { sentAt, submittedAt, firstTokenAt, answeredAt } = message;
  const waited = since(sentAt, submittedAt);
  return {
    messageId: message.id,
    text: message.text,
    waitMs: waited === null ? null : waited - outageIn(sentAt, submittedAt, kill),
    firstTokenMs: since(sentAt, firstTokenAt),
    modelMs: submittedAt === null ? null : since(submittedAt, firstTokenAt),
    answeredMs: since(sentAt, answeredAt),
    tasksRunning: message.aliveWhenAnswered,
    answer: message.answer,
  };
}

function taskRow({ view, result }: ReportInput["tasks"][number]): TaskRow {
  return {
    taskId: view.taskId,
    parentId: view.parentId,
    goal: view.goal,
    model: view.model.model,
    toolsets: view.toolsets,
    state: view.state,
    turns: view.turn,
    steers: view.steers.map(({ steerId, state, turn }) => ({ steerId, state, turn })),
    result: result.result,
    failure: result.failure,
    ranMs: view.startedAt === null ? null : since(view.startedAt, view.finishedAt),
  };
}

function waitRow(of: Pick<WaitRow, "who" | "taskId" | "for">, times: readonly number[]): WaitRow[] {
  if (times.length === 0) return [];
  const total = times.reduce((sum, ms) => sum + ms, 0);
  return [{ ...of, times: times.length, longestMs: round(Math.max(...times)), totalMs: round(total) }];
}

/** Who waited for what: the person for the model, the parent and each child for a slot and, if ever, for a place. */
function waitRows({ record }: ReportInput, messages: readonly MessageRow[]): readonly WaitRow[] {
  const { sessionId } = record;
  const of = (taskId: string, what: Wait["for"]): readonly number[] =>
    record.waits.filter((wait) => wait.taskId === taskId && wait.for === what).map((wait) => wait.ms);
  const said = messages.flatMap(({ waitMs }) => (waitMs === null ? [] : [waitMs]));
  return [
    ...waitRow({ who: "person", taskId: sessionId, for: "the parent's turn" }, said),
    ...waitRow({ who: "parent", taskId: sessionId, for: "a slot" }, of(sessionId, "slot")),
    ...record.children.flatMap(({ taskId }) => [
      ...waitRow({ who: "child", taskId, for: "a slot" }, of(taskId, "slot")),
      ...waitRow(
        { who: "child", taskId, for: "a place" },
        of(taskId, "place").filter((ms) => ms > 0),
      ),
    ]),
  ];
}

const wasCancelledRunning = (child: Child): boolean =>
  child.state === "cancelled" &&
  (child.cancelledFrom?.state === "running" || child.cancelledFrom?.state === "steering");

const wasFollowed = ({ steers, result }: TaskRow): boolean =>
  steers.some(({ state }) => state === "delivered") && FOLLOWED.exec(result ?? "")?.[1] === STEER_TEXT;

function checksOf(
  input: ReportInput,
  conversation: DemoReport["conversation"],
  tasks: readonly TaskRow[],
): Check[] {
  const { children } = input.record;
  const check = (name: string, held: boolean): Check => ({ name, held });
  const ends = tasks.filter(({ state }) => state !== "cancelled");
  return [
    check("the story comes to its end", input.broken === null),
    check(
      "the parent delegates three goals",
      children.length >= GOALS.length && tasks.every((task) => task.parentId),
    ),
    check(
      `no delegation call holds the conversation over ${LONGEST_BLOCKED_MS} ms`,
      conversation.calls.length > 0 && conversation.longestBlockedMs <= LONGEST_BLOCKED_MS,
    ),
    check(
      "no message waits longer than its patience",
      conversation.longestWaitMs <= conversation.patienceMs + WAIT_TOLERANCE_MS,
    ),
    check("a message is answered while children run", conversation.answeredWhileRunning > 0),
    check(
      "a steer is delivered to a living child",
      tasks.some(({ steers }) => steers.some(({ state }) => state === "delivered")),
    ),
    ...(input.box.followsSteers ? [check("the steered child follows it", tasks.some(wasFollowed))] : []),
    check("a child is cancelled while it runs", children.some(wasCancelledRunning)),
    check(
      "every other child is done, with a result",
      ends.length > 0 &&
        ends.every(({ state, result }) => state === "done" && result !== null && result.trim() !== ""),
    ),
    check(
      "every end comes back to the parent by itself",
      children.length > 0 && children.every((child) => child.returned),
    ),
  ];
}

/** Contract: pure; never throws, whatever is missing. */
export function reportOf(input: ReportInput): DemoReport {
  const { record, box, models, patienceMs, broken } = input;
  const kill = input.crash?.kill ?? null;
  const messages = record.messages.map((message) => messageRow(message, kill));
  const running = record.messages.filter(
    ({ aliveWhenSent, aliveWhenAnswered }) => aliveWhenSent > 0 && (aliveWhenAnswered ?? 0) > 0,
  );
  const conversation: DemoReport["conversation"] = {
    longestBlockedMs: round(Math.max(0, ...record.calls.map(({ ms }) => ms))),
    longestWaitMs: round(Math.max(0, ...messages.map(({ waitMs }) => waitMs ?? 0))),
    patienceMs,
    answeredWhileRunning: running.length,
    messages,
    calls: record.calls.map((call) => ({ ...call, ms: round(call.ms) })),
  };
  const tasks = input.tasks.map(taskRow);
  const checks = checksOf(input, conversation, tasks);
  const facts = input.crash?.facts ?? [];
  const failures = [
    ...checks.filter(({ held }) => !held).map(({ name }) => `does not hold: ${name}`),
    ...facts.filter(({ held }) => !held).map(({ name, got }) => `does not hold: ${name} (${got})`),
  ];
  return {
    backend: box.backend,
    passed: failures.length === 0 && broken === null,
    failures: broken === null ? failures : [broken, ...failures],
    person: "scripted",
    parent: box.parent,
    models,
    elapsedMs: round(input.elapsedMs),
    conversation,
    tasks,
    waits: waitRows(input, messages),
    checks,
    ...(input.crash && { crash: input.crash }),
  };
}
