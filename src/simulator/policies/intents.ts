// What a person's message to the orchestrator asks it to do, as calls of the tools that it was offered, or as a
// remark when nothing can be called. Pure; never throws.

import { offers, type PolicyCall, type PolicyRequest } from "../policy.ts";
import { taskMeant, type KnownTask } from "./known-tasks.ts";
import { workIn, type Work } from "./split-goal.ts";
import { oneLine } from "./transcript.ts";

/** Calls to make, or a text to answer with; both empty means that the message is plain talk. */
export interface Intent {
  readonly calls: readonly PolicyCall[];
  readonly remark: string;
}

const NOTHING: Intent = { calls: [], remark: "" };
const STEER =
  /^(?:please\s+)?(?:steer\s+(.+?)\s*:\s*|tell\s+(?:the\s+)?(.+?)\s+(?:task|child)\s+to\s+)([\s\S]+)$/i;
const CANCEL = /^(?:please\s+)?(?:cancel|abort|stop)\s+(?:the\s+)?(.+?)(?:\s+(?:task|child|job))?\s*[.!]?$/i;
const COLLECT = /^(?:please\s+)?(?:collect|wait for)\s+(?:the\s+)?(.+?)(?:\s+(?:task|child|job))?\s*[.!]?$/i;
const STATUS =
  /\b(status|progress|how far|still running|done yet|finished yet|what is running|what are (?:they|the children) doing|how (?:is|are) .*(?:going|doing|getting on))\b/i;

function intent(...calls: readonly PolicyCall[]): Intent {
  return { calls, remark: "" };
}

function unknown(reference: string, tasks: readonly KnownTask[]): Intent {
  const names = tasks.map((task) => `${task.taskId} (${oneLine(task.goal, 60)})`).join(", ");
  const known = names === "" ? "I have started none so far." : `I know ${names}.`;
  return { calls: [], remark: `I know no task that "${oneLine(reference, 60)}" names. ${known}` };
}

function steer(message: string, request: PolicyRequest, tasks: readonly KnownTask[]): Intent | null {
  const match = STEER.exec(message);
  if (!match || !offers(request, "steer_task")) return null;
  const reference = match[1] ?? match[2] ?? "";
  const meant = taskMeant(reference, tasks);
  if (!meant) return unknown(reference, tasks);
  return intent({
    name: "steer_task",
    arguments: { task_id: meant.taskId, message: (match[3] ?? "").trim() },
  });
}

/** `cancel_task` and `collect_task` take a task alone, and "all" means every child that has not ended. */
function onTask(match: RegExpExecArray | null, tool: string, tasks: readonly KnownTask[]): Intent | null {
  if (!match) return null;
  const reference = match[1] ?? "";
  const open = tasks.filter((task) => task.end === null);
  if (/^(all|everything|them|them all)\b/i.test(reference)) {
    return intent(...open.map((task) => ({ name: tool, arguments: { task_id: task.taskId } })));
  }
  const meant = taskMeant(reference, tasks);
  return meant ? intent({ name: tool, arguments: { task_id: meant.taskId } }) : unknown(reference, tasks);
}

function status(message: string, request: PolicyRequest, tasks: readonly KnownTask[]): Intent | null {
  if (!STATUS.test(message) || tasks.length === 0) return null;
  // The question's own words would match any goal that holds one of them.
  const meant = taskMeant(message.replace(STATUS, " "), tasks);
  if (meant && offers(request, "check_task")) {
    return intent({ name: "check_task", arguments: { task_id: meant.taskId } });
  }
  if (offers(request, "list_tasks")) return intent({ name: "list_tasks", arguments: {} });
  if (!offers(request, "check_task")) return null;
  return intent(...tasks.map((task) => ({ name: "check_task", arguments: { task_id: task.taskId } })));
}

/** What a child must know: it sees its goal and this, and nothing of the conversation. */
function contextFor(work: Work, index: number): string {
  const count = work.parts.length;
  const place = count > 1 ? `Part ${index + 1} of ${count}; others do the rest.` : "A person asked for this.";
  return work.context === "" ? place : `${place} ${work.context}`;
}

function delegate(message: string, request: PolicyRequest): Intent | null {
  const work = workIn(message);
  if (work.parts.length === 0) return null;
  const orders = work.parts.map((goal, index) => ({ goal, context: contextFor(work, index) }));
  if (offers(request, "delegate_task_async")) {
    return intent(...orders.map((order) => ({ name: "delegate_task_async", arguments: order })));
  }
  if (!offers(request, "delegate_task")) return null;
  const [only] = orders;
  return intent({
    name: "delegate_task",
    arguments: orders.length === 1 && only ? only : { tasks: orders },
  });
}

/** The intent of one message, commands before work before talk. */
export function intentOf(message: string, request: PolicyRequest, tasks: readonly KnownTask[]): Intent {
  const cancel = offers(request, "cancel_task") ? CANCEL.exec(message) : null;
  const collect = offers(request, "collect_task") ? COLLECT.exec(message) : null;
  return (
    steer(message, request, tasks) ??
    onTask(cancel, "cancel_task", tasks) ??
    onTask(collect, "collect_task", tasks) ??
    status(message, request, tasks) ??
    delegate(message, request) ??
    NOTHING
  );
}
