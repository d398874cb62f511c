// sim-orchestrator: splits a request, delegates the parts, says what it started, reports what comes back, and answers
// a person meanwhile. Everything it says of a task is taken from a tool result or from an announcement.
// Without delegation tools it works as a worker does; without any tools it chats.

import { parseCompletion, parseSteer, type CompletionNote } from "../../core/transcript-marks.ts";
import { call, offers, say, type Policy, type PolicyRequest } from "../policy.ts";
import { plainAnswer } from "./chat.ts";
import { intentOf } from "./intents.ts";
import { knownTasks, startedBy, viewsIn, type KnownTask } from "./known-tasks.ts";
import {
  exchangesOf,
  freshTexts,
  isRecord,
  numberAt,
  oneLine,
  textAt,
  underWay,
  userTexts,
  type Exchange,
} from "./transcript.ts";
import { workerPolicy } from "./worker.ts";

const DELEGATES = ["delegate_task_async", "delegate_task"];
const RESULT_CHARS = 400;

function lineOf(view: Readonly<Record<string, unknown>>, tasks: readonly KnownTask[]): string {
  const taskId = textAt(view, "task_id") ?? "a task";
  const goal = textAt(view, "goal") ?? tasks.find((task) => task.taskId === taskId)?.goal ?? "";
  const state = textAt(view, "state", "status") ?? "unknown";
  const phase = textAt(view, "phase");
  const position = numberAt(view, "queue_position");
  const where = [phase, position === null ? null : `position ${position}`].filter((part) => part !== null);
  return `- ${taskId} "${oneLine(goal, 80)}": ${state}${where.length > 0 ? ` (${where.join(", ")})` : ""}`;
}

/** One sentence or list about one call that was answered. */
function reportOn(exchange: Exchange, tasks: readonly KnownTask[]): string {
  const taskId = textAt(exchange.arguments, "task_id") ?? "";
  if (exchange.failed) {
    const inner = isRecord(exchange.value) ? exchange.value["error"] : null;
    const reason = textAt(inner, "message") ?? textAt(exchange.value, "message", "error");
    return `${exchange.name} was refused: ${oneLine(reason ?? exchange.text, 300)}`;
  }
  switch (exchange.name) {
    case "steer_task":
      return `Passed on to ${taskId}: "${oneLine(textAt(exchange.arguments, "message") ?? "", 120)}".`;
    case "cancel_task":
      return `Cancelled ${taskId}.`;
    case "check_task":
    case "list_tasks":
      return viewsIn(exchange.value)
        .map((view) => lineOf(view, tasks))
        .join("\n");
    case "delegate_task":
    case "collect_task":
      return viewsIn(exchange.value)
        .map((view) => `${lineOf(view, tasks)}\n${oneLine(textAt(view, "result") ?? "", RESULT_CHARS)}`)
        .join("\n");
    default:
      return `${exchange.name}: ${oneLine(exchange.text, 200)}`;
  }
}

function startedText(exchanges: readonly Exchange[]): string {
  const started = exchanges.filter((entry) => entry.name === "delegate_task_async").flatMap(startedBy);
  if (started.length === 0) return "";
  const list = started.map(({ taskId, goal }) => `- ${taskId}: ${oneLine(goal, 100)}`).join("\n");
  const [what, they] = started.length === 1 ? ["1 task", "it"] : [`${started.length} tasks`, "they"];
  return `I have started ${what}:\n${list}\nI report as ${they} finish; you can go on talking to me.`;
}

function endText(note: CompletionNote): string {
  const goal = `"${oneLine(note.goal, 80)}"`;
  if (note.state !== "done")
    return `${note.taskId} (${goal}) ended as ${note.state}. ${oneLine(note.result, 200)}`;
  return `${note.taskId} (${goal}) is done: ${oneLine(note.result, RESULT_CHARS)}`;
}

/** After the announcements: what is still out, or all of it once the last is in. */
function balance(tasks: readonly KnownTask[]): string {
  const open = tasks.filter((task) => task.end === null).length;
  if (open > 0) return `${open} of ${tasks.length} still at work.`;
  const counts = tasks.filter((task) => task.end?.state === "done").length;
  return `That was the last one: all ${tasks.length} have ended, ${counts} of them with a result.`;
}

/** What is said of everything that came back or ended in the work under way. */
function reports(request: PolicyRequest, tasks: readonly KnownTask[]): readonly string[] {
  const work = underWay(request);
  const exchanges = exchangesOf(work);
  const notes = userTexts(work)
    .map(parseCompletion)
    .filter((note) => note !== null);
  return [
    startedText(exchanges),
    ...exchanges
      .filter((entry) => entry.name !== "delegate_task_async" || entry.failed)
      .map((entry) => reportOn(entry, tasks)),
    ...notes.map(endText),
    ...(notes.length > 0 ? [balance(tasks)] : []),
  ];
}

/** Contract: pure; each new text of a person leads to calls once, and to words otherwise. */
export const orchestratorPolicy: Policy = (request) => {
  if (!DELEGATES.some((name) => offers(request, name))) return workerPolicy(request);
  const tasks = knownTasks(request.messages);
  const messages = freshTexts(request)
    .filter((text) => parseCompletion(text) === null)
    .map((text) => parseSteer(text) ?? text);
  const intents = messages.map((text) => ({ text, ...intentOf(text, request, tasks) }));
  const calls = intents.flatMap((intent) => intent.calls);
  const talk = intents
    .filter((intent) => intent.calls.length === 0)
    .map((intent) => intent.remark || plainAnswer(intent.text));
  // What came back is reported once, in the answer that asks for nothing more.
  const lines = calls.length > 0 ? talk : [...reports(request, tasks), ...talk];
  const text = lines.filter((line) => line !== "").join("\n");
  return calls.length > 0 ? call(calls, text) : say(text || "There is nothing to report.");
};
