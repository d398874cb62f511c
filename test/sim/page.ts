// One page of the diary: what the witness remembers of one task from one fact to the next. Data only.

import { SERVER_AWAY } from "../../src/core/lifecycle.ts";
import { QUESTION_MS } from "./questions.ts";

/** Codes of what others hold and of a server that is away: a turn waits for it, and it costs no try. */
export const NO_TRY: ReadonlySet<string> = new Set([
  SERVER_AWAY,
  "model_absent",
  "keys_busy",
  "keys_cooling",
  "budget",
]);

/** How long the tools of the simulation wait. */
export const WAITS_MS: Readonly<Record<string, number>> = {
  ask: 2_000,
  guarded: QUESTION_MS,
  ask_parent: QUESTION_MS,
  nap: 300,
};

/** A call that waits. */
export interface Wait {
  /** When it is over at the latest; `null` for one without a time. */
  readonly dueAt: number | null;
  readonly taskIds: readonly string[];
}

/** A `/stop` that was acknowledged: what may begin a turn again. */
export interface Stop {
  /** How much mail there was. */
  readonly mails: number;
  /** Children that lived: their ends begin no turn. */
  readonly hushed: ReadonlySet<string>;
  /** Something of it was written since, so that it survives a crash. */
  firm: boolean;
}

/** What is remembered of one task. */
export interface Page {
  readonly submittedAt: number;
  /** Turns of this run that finished, and further tries of the turn that is open. */
  finished: number;
  tries: number;
  /** Runs that failed and were followed by another. */
  retries: number;
  /** The turn that has begun and neither finished nor failed; 0 for none. */
  turnOpen: number;
  /** Calls of the last answer that have no result. */
  openCalls: number;
  readonly waits: Map<string, Wait>;
  /** Active time of this run, by what generated and ran, and as it was stored last. */
  activeMs: number;
  activeSince: number | null;
  storedMs: number;
  /** An acknowledged cancel ends it by then. */
  endBy: number | null;
  /** An acknowledged interrupt ends its generation, and an acknowledged word its wait, from then on. */
  interruptedAt: number | null;
  spokenToAt: number | null;
  /** Its generations in flight, and since when each was to stop; `null` for one that may go on. */
  readonly generations: Map<number, number | null>;
  stop: Stop | null;
  /** Somebody asked once to stop it: a turn of it may have been left open. */
  wasStopped: boolean;
  /** It was on its way to its end when it was written last. */
  isEnding: boolean;
  holdsLease: boolean;
  /** Since when it holds its lease, or held its last one. */
  leasedAt: number;
  /** The number of its next run, where a restart began one. */
  nextRun: number | null;
  /** The run that it was a child of is over. */
  abandonedAt: number | null;
  /** How often the server died with it at work since a turn and its calls were done, and as it was stored last. */
  storedResumes: number | null;
  resumes: number;
}

/** The page of a task that was just submitted. */
export function blankPage(submittedAt: number): Page {
  return {
    submittedAt,
    finished: 0,
    tries: 0,
    retries: 0,
    turnOpen: 0,
    openCalls: 0,
    waits: new Map(),
    activeMs: 0,
    activeSince: null,
    storedMs: 0,
    endBy: null,
    interruptedAt: null,
    spokenToAt: null,
    generations: new Map(),
    stop: null,
    wasStopped: false,
    isEnding: false,
    holdsLease: false,
    leasedAt: 0,
    nextRun: null,
    abandonedAt: null,
    storedResumes: null,
    resumes: 0,
  };
}
