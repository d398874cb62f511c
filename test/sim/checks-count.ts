// What may happen so often and no oftener: turns, tries, runs, restarts, generations at once.

import type { Book } from "./book.ts";
import type { Check } from "./check.ts";
import type { FactOf } from "./facts.ts";
import { CANCEL_DEADLINE_MS } from "./settings.ts";
import { isTurnDone } from "./diary.ts";
import { POOR_ANSWERS } from "./model-book.ts";
import type { CommitWrite } from "../../src/store/store.ts";
import type { StoredState } from "../../src/runtime/stored-state.ts";

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
  // Stepping up to a stronger model begins a run that costs no retry.
  const poor = (write.events ?? []).filter(
    ({ type, data }) => type === "task.rerouted" && POOR_ANSWERS.has(data.code),
  ).length;
  const stepsUp = (book.models.ways.get(taskId)?.stepsUp ?? 0) + poor;
  const most = (retryOnFailure ? retryLimit : 0) + stepsUp;
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
  if (!begins || finishes || page.wasStopped || page.turnOpen === 0 || page.turnOpen === write.turn || !task)
    return null;
  const isInterrupted = task.inbox.some(({ message }) => message.kind === "steer" && message.interrupt);
  return isInterrupted ? null : `${taskId} begins turn ${write.turn}, and the one before is open`;
}

function openAfter({ events = [] }: CommitWrite, before: number): number {
  let open = before;
  for (const { type, data } of events) {
    if (type === "turn.finished") open = data.toolCalls;
    else if (type === "tool.finished") open--;
    else if (type === "turn.started") open = 0;
  }
  return open;
}

function resumes({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  const { resumes: known, openCalls } = book.diary.page(taskId);
  const due = isTurnDone(write, openAfter(write, openCalls)) ? 0 : known;
  const { resumes: stored = 0, ending } = (write.snapshot ?? {}) as Partial<StoredState>;
  // 0 is what a server says that is on its way out: nobody died of the task.
  const isForgiven = book.diary.isClosing && stored === 0;
  if (write.snapshot !== undefined && ending === undefined && stored !== due && !isForgiven) {
    return `the server died ${due} times with ${taskId} at work in this turn, and it counts ${stored}`;
  }
  for (const { type, data } of write.events ?? []) {
    if (type !== "task.resumed" || data.policy !== "resume" || book.diary.isClosing) continue;
    if (data.resumes !== due) return `${taskId} says ${data.resumes} restarts, and should say ${due}`;
  }
  return null;
}

export const COUNT_CHECKS: readonly Check[] = [
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
    id: "I20",
    name: "restarts are counted",
    means: "How often a task was taken up within one turn is counted right: it decides over crash_loop.",
    on: { committed: resumes },
  },
];
