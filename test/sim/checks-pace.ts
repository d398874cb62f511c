// What must happen in time and as often as it may: turns, tries and runs; timeouts by active time alone; cancels,
// interrupts and waits that end when they must. Times are asked for to the millisecond, in worlds whose store answers
// at once; elsewhere only liveness is.

import type { Book } from "./book.ts";
import type { Check } from "./check.ts";
import type { FactOf } from "./facts.ts";
import { CANCEL_DEADLINE_MS, TIMEOUT_MS } from "./incarnation.ts";
import type { Page } from "./diary.ts";
import type { ModelTask } from "./model.ts";

/** Further tries of one generation after the first (GENERATION_TRIES of the runtime). */
const FURTHER_TRIES = 4;
/** What is tried again each time, whatever the server says. */
const ALWAYS_TRIED_AGAIN: ReadonlySet<string> = new Set(["overloaded", "network"]);
/** Failures of the task or the server, not of a run. */
const NOT_OF_A_RUN: ReadonlySet<string> = new Set([
  "interrupted",
  "machine_changed",
  "snapshot_unreadable",
  "queue_full",
  "internal",
  "stalled",
]);
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

function failure({
  write,
}: FactOf<"committed">): { readonly code: string; readonly retried: boolean } | null {
  for (const { type, data } of write.events ?? []) {
    if (type === "run.failed") return { code: data.code, retried: data.retryInMs !== null };
    if (type === "task.failed") return { code: data.code, retried: false };
  }
  return null;
}

function tries(fact: FactOf<"committed">, book: Book): string | null {
  const failed = failure(fact);
  if (!failed || !ALWAYS_TRIED_AGAIN.has(failed.code)) return null;
  const { tries: before } = book.diary.page(fact.taskId);
  if (before >= FURTHER_TRIES) return null;
  return `${fact.taskId} gives a turn up (${failed.code}) after ${before} further tries of ${FURTHER_TRIES}`;
}

function runs({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  const task = book.task(taskId);
  if (!task || task.spec.kind === "session") return null;
  const { retryLimit, retryOnFailure } = task.spec.limits;
  const most = retryOnFailure ? retryLimit : 0;
  const again = (write.events ?? []).some(
    ({ type, data }) => type === "run.failed" && data.retryInMs !== null,
  );
  if (again && book.diary.page(taskId).retries >= most) return `${taskId} runs again more than ${most} times`;
  const end = write.terminal?.failure;
  if (!end?.retryable || NOT_OF_A_RUN.has(end.code) || book.diary.escalated || task.run > most) return null;
  return `${taskId} fails (${end.code}) in run ${task.run}, and may have ${most + 1}`;
}

function turns({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  const task = book.task(taskId);
  if (!task || task.spec.kind === "session") return null;
  const more = (write.events ?? []).filter(({ type }) => type === "turn.finished").length;
  const count = book.diary.page(taskId).finished + more;
  const most = task.spec.limits.maxTurns;
  return more > 0 && count > most ? `${taskId} finishes turn ${count} of ${most}` : null;
}

/** A turn begins when the one before has finished or failed, or a person has interrupted it. */
function oneTurn({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  const task = book.task(taskId);
  const page = book.diary.page(taskId);
  const begins = (write.events ?? []).some(({ type }) => type === "turn.started");
  const finishes = (write.events ?? []).some(({ type }) => type === "turn.finished" || type === "run.failed");
  if (!begins || finishes || page.turnOpen === 0 || page.turnOpen === write.turn || !task) return null;
  const isInterrupted = task.inbox.some(({ message }) => message.kind === "steer" && message.interrupt);
  return isInterrupted ? null : `${taskId} begins turn ${write.turn}, and the one before is open`;
}

/** What its tree has used, and what its generations have reserved, at the least. */
function overBudget({ taskId, reserves }: FactOf<"generation.began">, book: Book): string | null {
  const rootId = book.task(taskId)?.spec.rootId;
  const limit = rootId === undefined ? null : (book.task(rootId)?.spec.budget?.tokens ?? null);
  if (limit === null) return null;
  let sum = reserves;
  for (const [id, task] of book.model.tasks) {
    if (task.spec.rootId !== rootId) continue;
    sum += (book.diary.used.get(id) ?? 0) + (id === taskId ? 0 : (book.diary.reserved.get(id) ?? 0));
  }
  return sum > limit ? `${taskId} generates, which makes it ${sum} of the tree's ${limit} tokens` : null;
}

function active({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  const { diary } = book;
  const task = book.task(taskId);
  if (!diary.exact || !diary.obedient || task?.spec.kind !== "task") return null;
  const mine = Math.round(diary.activeMs(diary.page(taskId)));
  const stored = (write.snapshot as { readonly activeMs?: number } | undefined)?.activeMs;
  const isResumed = (write.events ?? []).some(({ type }) => type === "task.resumed");
  if (stored !== undefined && !isResumed && Math.abs(stored - mine) > ROUNDING_MS) {
    return `${taskId} was active for ${mine} ms, and counts ${stored}`;
  }
  const isTimeout = write.terminal?.failure?.code === "timeout" && task.spec.limits.deadlineMs === null;
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
    const isHanging = [...page.generations.values()].some((since) => late(since, CANCEL_DEADLINE_MS));
    if (isDone && page.holdsLease && isHanging) {
      return "keeps its lease for a generation that will not let go";
    }
    if (late(page.spokenToAt)) return "was spoken to, and waits on for its children";
    const { deadlineMs } = spec.limits;
    if (deadlineMs !== null && diary.lives === 1 && late(page.submittedAt, deadlineMs + CANCEL_DEADLINE_MS)) {
      return "outlives its deadline";
    }
    const isWaiting = phase === "waiting_children" || phase === "waiting_input";
    if (!isWaiting || page.waits.size === 0 || !late(readyAt)) return null;
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

function satisfied({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  for (const { type, data } of write.events ?? []) {
    if (type !== "tool.resumed" || data.cause !== "satisfied") continue;
    const { taskIds = [] } = book.diary.page(taskId).waits.get(data.callId) ?? {};
    const open = taskIds.find((id) => book.task(id)?.end === null);
    if (open !== undefined) return `${taskId} waits no longer for ${open}, which has not ended`;
  }
  return null;
}

function resumes({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  const { resumedIn, resumes: before } = book.diary.page(taskId);
  for (const { type, data } of write.events ?? []) {
    if (type !== "task.resumed" || data.policy !== "resume" || resumedIn === null || book.closing) continue;
    const due = resumedIn === book.task(taskId)?.turn ? before + 1 : 1;
    if (data.resumes !== due)
      return `${taskId} is taken up for the ${due}. time in this turn, and counts ${data.resumes}`;
  }
  return null;
}

function policies({ taskId }: FactOf<"generation.began" | "tool.began">, book: Book): string | null {
  const task = book.task(taskId);
  const isCut = book.side(taskId).interrupted !== "no" && task?.spec.kind === "task";
  if (isCut && task.spec.limits.onRestart === "fail") return `${taskId} goes on, and was to fail`;
  const { abandoned } = book.diary.page(taskId);
  return abandoned && book.diary.exact ? `${taskId} works on for a run that is over` : null;
}

export const PACE_CHECKS: readonly Check[] = [
  {
    id: "I17",
    name: "turns are counted",
    means: "No run of a task finishes more turns than max_turns.",
    on: { committed: turns },
  },
  {
    id: "I20",
    name: "runs are counted",
    means:
      "A task has exactly as many further runs as retry_limit allows, before it fails for what may be retried.",
    on: { committed: runs },
  },
  {
    id: "I19",
    name: "tries are counted",
    means: "A generation whose server is busy is tried five times before its turn is given up.",
    on: { committed: tries },
  },
  {
    id: "I5",
    name: "one turn after the other",
    means:
      "No turn and no generation of a task begins while the one before is open, but where a person interrupts.",
    on: {
      committed: oneTurn,
      "generation.began": ({ taskId }, book) => {
        // One that was told to stop long ago stands in nobody's way.
        const isGiven = (since: number | null): boolean =>
          since !== null && book.now - since >= CANCEL_DEADLINE_MS - ROUNDING_MS;
        const { generations } = book.diary.page(taskId);
        if (taskId === "nobody" || [...generations.values()].every(isGiven)) return null;
        return `${taskId} generates twice at once`;
      },
    },
  },
  {
    id: "I17",
    name: "budgets are reserved",
    means: "What a tree has used and what its generations may still use never passes its budget.",
    on: { "generation.began": overBudget },
  },
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
    id: "I8",
    name: "waits are satisfied by ends",
    means: "A wait for children is satisfied when all of them have ended, and not before.",
    on: { committed: satisfied },
  },
  {
    id: "I20",
    name: "restarts are counted",
    means: "How often a task was taken up within one turn is counted right: it decides over crash_loop.",
    on: { committed: resumes },
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
