// What callers were told and must find true: results, cancels, keys, typed refusals; and what must happen once or not
// too soon.

import { ConflictError, LimitError, NotFoundError, StoreError, TroupeError } from "../../src/base/errors.ts";
import type { SteerReceipt, TaskResult } from "../../src/core/api.ts";
import { effectKey, type Book } from "./book.ts";
import type { Check } from "./check.ts";
import type { FactOf } from "./facts.ts";
import { CANCEL_DEADLINE_MS } from "./settings.ts";

/** What an orderly end may take beside the deadline of what lets go: the store's own way and pauses. */
const CLOSE_MS = 60_000;

function sameResult({ call, answer }: FactOf<"returned">, book: Book): string | null {
  if (call.name !== "collect" && call.name !== "glance") return null;
  const taskId = call.taskId as string;
  const result = answer as TaskResult;
  const before = book.promises.results.get(taskId);
  if (before !== undefined && JSON.stringify(answer) !== before) {
    return `${taskId} gave ${before}, and now ${JSON.stringify(answer)}`;
  }
  const end = book.task(taskId)?.end;
  if (!result.finished) return null;
  if (!end) return `${taskId} was told as finished before its end`;
  const same = result.state === end.state && result.result === end.result;
  return same ? null : `${taskId} ended as ${end.state} and was told as ${result.state}`;
}

function typed({ call, thrown }: FactOf<"threw">): string | null {
  if (thrown instanceof TroupeError && thrown.kind !== "internal") return null;
  return `call ${call.number} (${call.name}) threw ${thrown instanceof Error ? thrown.stack : String(thrown)}`;
}

function refusesRightly({ call, thrown }: FactOf<"threw">, book: Book): string | null {
  if (!(thrown instanceof ConflictError) || thrown.code !== "task_ended" || call.taskId === null) return null;
  const task = book.task(call.taskId);
  // One that is on its way to its end refuses already, but for mail.
  const isMail = ["steer", "interrupt", "message", "answer"].includes(call.name);
  return isMail && task && !task.end ? `${call.taskId} lives, and refuses a ${call.name} as ended` : null;
}

export const CALL_CHECKS: readonly Check[] = [
  {
    id: "I8",
    name: "a result never changes",
    means: "collect gives the same bytes every time, also after restarts, and they are those of the end.",
    on: { returned: sameResult },
    rest: ({ tasks }, book) => {
      for (const [id, { record }] of tasks) {
        const told = book.promises.results.get(id);
        if (told === undefined) return `${id} was collected at the end, and was not finished`;
        const { state, result } = JSON.parse(told) as TaskResult;
        if (state !== record.state || result !== record.end?.result) return `${id} is not as it was told`;
      }
      return null;
    },
  },
  {
    id: "I9",
    name: "a cancel reaches the whole subtree",
    means:
      "After a cancel was acknowledged nothing of the subtree begins a generation or a tool, also after a restart.",
    on: {
      "generation.began": ({ taskId }, book) =>
        book.side(taskId).cancelled ? `${taskId} was cancelled, and generates` : null,
      "tool.began": ({ taskId }, book) =>
        book.side(taskId).cancelled ? `${taskId} was cancelled, and calls a tool` : null,
    },
  },
  {
    id: "I14",
    name: "answers are explicit",
    means: "Every call is answered, by what it asked for or by a typed refusal.",
    on: {
      threw: typed,
      returned: ({ call, answer }) => {
        if (call.name !== "delegate") return null;
        const { taskId, state } = answer as { taskId?: string; state?: string };
        return taskId && state ? null : `call ${call.number} was answered with ${JSON.stringify(answer)}`;
      },
    },
    rest: ({ unanswered }) => (unanswered.length > 0 ? `never answered: ${unanswered.join(", ")}` : null),
  },
  {
    id: "I6",
    name: "only the ended refuse mail",
    means: "A steer is refused as ended only by a task that has ended.",
    on: { threw: refusesRightly },
  },
  {
    id: "I19",
    name: "a server that asks for a pause gets it",
    means: "No generation of a task begins before the retry-after that its server asked for is over.",
    on: {
      "generation.began": ({ taskId }, book) => {
        const task = book.task(taskId);
        const { notBefore } = book.side(taskId);
        if (task?.spec.kind !== "task" || book.now >= notBefore) return null;
        return `${taskId} generates ${notBefore - book.now} ms too soon`;
      },
    },
  },
  {
    id: "I22",
    name: "one key, one task",
    means:
      "The same idempotency key gives the same task, also across crashes, and another request under it is refused.",
    on: {
      returned: ({ call, answer }, book) => {
        const key = (call.request as { idempotencyKey?: string } | undefined)?.idempotencyKey;
        if (key === undefined) return null;
        if (call.name === "clash") return `another request under ${key} was accepted`;
        const { taskId } = answer as { taskId: string };
        const before = book.promises.keys.get(key)?.taskId ?? taskId;
        return before === taskId ? null : `${key} was ${before}, and is ${taskId}`;
      },
      threw: ({ call, thrown }) => {
        const isBusy = thrown instanceof StoreError || thrown instanceof LimitError;
        if (call.name !== "clash" || thrown instanceof ConflictError || isBusy) return null;
        return `another request under a key was answered with ${String(thrown)}`;
      },
    },
  },
  {
    id: "I25",
    name: "no acknowledgement without a write",
    means: "A steer or message that was acknowledged lies in the inbox.",
    on: {
      returned: ({ call, answer }, book) => {
        if (!["steer", "interrupt", "message", "answer"].includes(call.name)) return null;
        const { steerId, taskId } = answer as SteerReceipt;
        const lies = book.task(taskId)?.inbox.some(({ message }) => message.id === steerId);
        return lies ? null : `${steerId} was acknowledged, and ${taskId} never got it`;
      },
      threw: ({ call, thrown }, book) =>
        thrown instanceof NotFoundError && call.taskId !== null && book.task(call.taskId)
          ? `${call.taskId} is in the store, and was not found`
          : null,
    },
  },
  {
    id: "I28",
    name: "an orderly end ends",
    means: "Closing a server resolves within its grace, and whoever waits for an answer of it gets one.",
    on: {
      closed: ({ life, ms }, { diary }) =>
        ms > CANCEL_DEADLINE_MS + CLOSE_MS + diary.awayMs ? `life ${life} took ${ms} ms to close` : null,
    },
  },
  {
    id: "I21",
    name: "what must not be repeated runs once",
    means: "A call of a tool that may not be repeated runs at most once, whatever crashes.",
    on: {
      "tool.began": (fact, book) => {
        if (fact.repeatable || (book.effects.get(effectKey(fact)) ?? 0) === 0) return null;
        return `${fact.tool} of ${fact.taskId} runs a second time for ${fact.callId}`;
      },
    },
  },
  {
    id: "I21",
    name: "an intent before every tool",
    means: "A tool runs only after its intent is in the store.",
    on: {
      "tool.began": ({ taskId, callId }, book) =>
        book.intents.has(`${taskId} ${callId}`) ? null : `${callId} of ${taskId} runs without an intent`,
    },
  },
];
