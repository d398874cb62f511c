// What must happen in time: timeouts by active time alone; cancels, interrupts, words and waits that take effect when
// they must. Times are asked for to the millisecond, in worlds whose store answers
// at once; elsewhere only liveness is.

import type { Book } from "./book.ts";
import type { Check } from "./check.ts";
import type { FactOf } from "./facts.ts";
import { CANCEL_DEADLINE_MS, TIMEOUT_MS } from "./settings.ts";
import type { Page } from "./page.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import type { StoredState } from "../../src/runtime/stored-state.ts";
import type { ModelTask } from "./model.ts";

const ROUNDING_MS = 2;
/** The longest that a tool of the simulation goes on after its signal. */
const STUBBORN_MS = 2_000;

function eachOpen(book: Book, ask: (task: ModelTask, page: Page) => string | null): string | null {
  for (const [taskId, page] of book.diary.pages) {
    const task = book.task(taskId);
    const complaint = task && !task.end ? ask(task, page) : null;
    if (complaint) return `${taskId} ${complaint}`;
  }
  return null;
}

function active({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  const { diary } = book;
  const task = book.task(taskId);
  if (!diary.exact || !diary.obedient || task?.spec.kind !== "task") return null;
  const mine = Math.round(diary.activeMs(diary.page(taskId)));
  const { activeMs: stored, ending } = (write.snapshot ?? {}) as Partial<StoredState>;
  const isResumed = (write.events ?? []).some(({ type }) => type === "task.resumed");
  // On its way to its end nothing of it is active any more, whatever it still says of that.
  if (stored !== undefined && ending === undefined && !isResumed && Math.abs(stored - mine) > ROUNDING_MS) {
    return `${taskId} was active for ${mine} ms, and counts ${stored}`;
  }
  // One that was on its way to its end when the server died ends for the same reason, whatever it counts then.
  const isTimeout =
    diary.lives === 1 && write.terminal?.failure?.code === "timeout" && task.spec.limits.deadlineMs === null;
  return isTimeout && mine < TIMEOUT_MS - ROUNDING_MS
    ? `${taskId} times out after ${mine} ms of active time`
    : null;
}

function overActive(book: Book): string | null {
  const { diary } = book;
  if (!diary.exact || !diary.obedient) return null;
  return eachOpen(book, ({ spec }, page) => {
    const ms = diary.activeMs(page);
    if (spec.kind !== "task" || ms <= TIMEOUT_MS + STUBBORN_MS + CANCEL_DEADLINE_MS) return null;
    return `has been active for ${ms} ms of ${TIMEOUT_MS}`;
  });
}

/** Whether one above it is on its way to its end: then it lets go of its waits, and ends when its work has. */
function isCalledOff({ parentId, detached }: TaskSpec, book: Book): boolean {
  const parent = parentId === null || detached ? undefined : book.task(parentId);
  if (parent === undefined) return false;
  return book.diary.page(parent.spec.id).isEnding || parent.end !== null || isCalledOff(parent.spec, book);
}

function overdue(book: Book): string | null {
  const { diary, now } = book;
  const { readyAt } = diary;
  if (!diary.exact || readyAt === null) return null;
  const late = (since: number | null, ms = 0): boolean => since !== null && now > since + ms + ROUNDING_MS;
  return eachOpen(book, ({ spec, state, phase }, page) => {
    if (late(page.endBy))
      return `was cancelled, and has not ended ${now - (page.endBy ?? 0)} ms after the deadline`;
    const letGoMs = diary.obedient ? 0 : 3 * CANCEL_DEADLINE_MS;
    if (late(page.interruptedAt, letGoMs)) return "was interrupted, and goes on generating";
    const isDone = phase !== "generating" && state !== "steering";
    // The lease is kept for the newest: those before it were given up when it began.
    const newest = [...page.generations.values()].at(-1) ?? null;
    const isHanging = late(newest, CANCEL_DEADLINE_MS) && page.leasedAt <= (newest ?? 0);
    if (isDone && page.holdsLease && isHanging) {
      return "keeps its lease for a generation that will not let go";
    }
    if (late(page.spokenToAt)) return "was spoken to, and waits on for its children";
    const { deadlineMs } = spec.limits;
    if (deadlineMs !== null && diary.lives === 1 && late(page.submittedAt, deadlineMs + CANCEL_DEADLINE_MS)) {
      return "outlives its deadline";
    }
    const isWaiting = phase === "waiting_children" || phase === "waiting_input";
    if (!isWaiting || page.waits.size === 0 || !late(readyAt) || isCalledOff(spec, book)) return null;
    const dues = [...page.waits.values()].map(({ dueAt }) => dueAt ?? Infinity);
    return late(Math.max(...dues)) ? "waits on, though all its waits are over" : null;
  });
}

/** After `/stop` only a person, or a child that was not stopped, begins a turn. */
function stopped({ taskId }: FactOf<"generation.began">, book: Book): string | null {
  const { stop } = book.diary.page(taskId);
  const task = book.task(taskId);
  if (!book.diary.exact || !stop || !task) return null;
  const since = task.inbox.slice(stop.mails);
  const isCalled = since.some(({ message }) => message.kind !== "completion" || !stop.hushed.has(message.id));
  return isCalled ? null : `${taskId} was stopped, and goes on by itself`;
}

/** Who begins to generate has read what was there when it got its slot. */
function unread({ taskId }: FactOf<"generation.began">, book: Book): string | null {
  const task = book.task(taskId);
  const { leasedAt, holdsLease } = book.diary.page(taskId);
  // Right after a restart mail is read while slots are given already.
  const { exact, readyAt } = book.diary;
  if (!exact || !task || !holdsLease || readyAt === null || readyAt >= leasedAt) return null;
  const mail = task.inbox.find(({ message, state }) => {
    const isWord = message.kind === "steer" || message.kind === "message";
    const sentAt = book.diary.sentAt.get(`${taskId} ${message.id}`) ?? Infinity;
    return isWord && state === "queued" && sentAt < leasedAt;
  });
  return mail ? `${taskId} generates, and has not read ${mail.message.id}` : null;
}

function satisfied({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  for (const { type, data } of write.events ?? []) {
    if (type !== "tool.resumed" || data.cause !== "satisfied") continue;
    const { taskIds = [] } = book.diary.page(taskId).waits.get(data.callId) ?? {};
    const open = taskIds.find((id) => book.task(id)?.end === null);
    if (open !== undefined) return `${taskId} waits no longer for ${open}, which has not ended`;
  }
  return null;
}

function policies({ taskId }: FactOf<"generation.began" | "tool.began">, book: Book): string | null {
  const task = book.task(taskId);
  const isCut = book.side(taskId).interrupted !== "no" && task?.spec.kind === "task";
  if (isCut && task.spec.limits.onRestart === "fail") return `${taskId} goes on, and was to fail`;
  const { abandonedAt } = book.diary.page(taskId);
  return abandonedAt !== null && book.now > abandonedAt && book.diary.exact
    ? `${taskId} works on for a run that is over`
    : null;
}

export const PACE_CHECKS: readonly Check[] = [
  {
    id: "I12",
    name: "active time is what it generated and ran",
    means: "Waiting never counts, and a restart neither gives nor takes time.",
    on: { committed: active },
    step: (_, book) => overActive(book),
  },
  {
    id: "I9",
    name: "what is due is done",
    means: "Cancels, interrupts, words, deadlines and waits take effect when they must.",
    step: (_, book) => overdue(book),
  },
  {
    id: "I9",
    name: "a stopped session is silent",
    means: "After /stop nothing but a person or another child begins a turn, also after a restart.",
    on: { "generation.began": stopped },
  },
  {
    id: "I6",
    name: "no turn passes mail by",
    means: "What somebody wrote before a turn began is read in it.",
    on: { "generation.began": unread },
  },
  {
    id: "I8",
    name: "waits are satisfied by ends",
    means: "A wait for children is satisfied when all of them have ended, and not before.",
    on: { committed: satisfied },
  },
  {
    id: "I21",
    name: "policies are kept",
    means: "What is to fail at a restart does not go on, nor do children of a run that a restart ended.",
    on: {
      "generation.began": policies,
      "tool.began": (fact, book) => {
        if (book.diary.page(fact.taskId).holdsLease) return `${fact.taskId} runs ${fact.tool} on its lease`;
        return policies(fact, book);
      },
      committed: ({ taskId, write }, book) => {
        const { interrupted } = book.side(taskId);
        const code = write.terminal?.failure?.code;
        if (code === "interrupted" && interrupted === "no")
          return `${taskId} had not begun, and fails as interrupted`;
        const { nextRun } = book.diary.page(taskId);
        const isTurn = (write.events ?? []).some(({ type }) => type === "turn.started");
        if (!isTurn || nextRun === null || write.run === nextRun) return null;
        return `${taskId} begins run ${write.run} after a restart, and should begin ${nextRun}`;
      },
    },
  },
];
