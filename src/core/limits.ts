// Every bound of Troupe that is not a config key, and the defaults of those that are. One home, so that
// documents, refusals and code name the same figure.

/** Output ring of a task: lines kept, and characters kept of each (hermes-agent issue 5586). */
export const RING_LINES = 200;
export const RING_LINE_CHARS = 500;
/** Lines that `check_task` shows. */
export const CHECK_LINES = 10;

export const MAX_GOAL_CHARS = 100_000;
export const MAX_CONTEXT_CHARS = 400_000;
export const MAX_STEER_CHARS = 32_000;
/** Of a question to a parent. */
export const MAX_QUESTION_CHARS = 4_000;
/** Questions of one task to its parent: each costs the parent a turn or two. */
export const MAX_QUESTIONS = 10;
/** A question to a parent that nobody answered for so long is told as not answered (`tools.ask_timeout_s`). */
export const ASK_TIMEOUT_MS = 1_800_000;
/** Of a progress report: its note, and its partial result as JSON. Every report is an event that is kept. */
export const MAX_NOTE_CHARS = 500;
export const MAX_PARTIAL_CHARS = 16_000;
/** Of one file of the audit log, about 48,000 rows; the next one goes on. */
export const AUDIT_FILE_BYTES = 16_777_216;
/** Tasks in one `delegate_task` batch. */
export const MAX_BATCH = 32;
/** Steers and messages that may wait for one task. */
export const MAX_INBOX = 256;
/** More agents at once than this is warned about (seed 004: 3 children at each of 3 levels). */
export const AGENTS_WARNING = 27;
/** Characters of a tool result that reach the model; the rest is cut with a mark. */
export const MAX_TOOL_RESULT_CHARS = 24_000;
/** The same call with the same arguments this many times in a row fails as `tool_loop`. */
export const TOOL_LOOP_LIMIT = 3;
/** Changes of model that one task may make. */
export const MAX_REROUTES = 3;
/** A model that failed a task is not chosen for new ones for so long, where its route has another; then one tries it. */
export const SICK_MS = 60_000;
/** Share of the context at which a transcript is compacted. */
export const COMPACT_AT = 0.8;

/**
 * What becomes of a task that had begun when the server stopped: it goes on from where it was, begins another run, or
 * fails as `interrupted`. One that was still queued stays queued.
 */
export const RESTART_POLICIES = ["resume", "restart", "fail"] as const;
export type RestartPolicy = (typeof RESTART_POLICIES)[number];

/** What one task may use. A `null` means no limit. */
export interface TaskLimits {
  readonly maxTurns: number;
  /** Active time only: holding a generation lease or running a tool. `null` for sessions. */
  readonly timeoutMs: number | null;
  /** Wall clock since creation. */
  readonly deadlineMs: number | null;
  /** Tokens that one generation may write (`num_predict`, `max_tokens`). */
  readonly maxOutputTokens: number;
  /** Characters of the final result; more is cut with a mark. */
  readonly maxResultChars: number;
  readonly retryOnFailure: boolean;
  readonly retryLimit: number;
  readonly onRestart: RestartPolicy;
  /** A model or a tool that gives no sign of life for so long is stopped, and said to have stalled. */
  readonly stallMs: number;
}

export const DEFAULT_TASK_LIMITS: TaskLimits = {
  maxTurns: 50,
  timeoutMs: 1_800_000,
  deadlineMs: null,
  maxOutputTokens: 4_096,
  maxResultChars: 24_000,
  retryOnFailure: false,
  retryLimit: 2,
  onRestart: "resume",
  // Longer than the deadlines of the providers, so that their own word comes first.
  stallMs: 900_000,
};

/** What a tree, or the part of it under one task, may use together (design.md §10.4). `null` means no limit. */
export interface TreeBudget {
  readonly tokens: number | null;
  readonly costMicros: number | null;
  readonly gpuMs: number | null;
  readonly toolCalls: number | null;
}

export const UNLIMITED_BUDGET: TreeBudget = { tokens: null, costMicros: null, gpuMs: null, toolCalls: null };

export const BUDGET_KINDS = [
  "tokens",
  "costMicros",
  "gpuMs",
  "toolCalls",
] as const satisfies readonly (keyof TreeBudget)[];
/** A budget of which this share was used is warned of. */
export const WARN_SHARE = 0.8;

/** What was used, in the units of TreeBudget, with the tokens split. */
export interface Usage {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly costMicros: number;
  readonly gpuMs: number;
  readonly toolCalls: number;
  readonly generations: number;
}

export const NO_USAGE: Usage = {
  promptTokens: 0,
  outputTokens: 0,
  costMicros: 0,
  gpuMs: 0,
  toolCalls: 0,
  generations: 0,
};

/** Contract: no sum is beyond what a number says exactly, and what is no number counts nothing. */
export function addUsage(a: Usage, b: Partial<Usage>): Usage {
  return {
    promptTokens: sum(a.promptTokens, b.promptTokens),
    outputTokens: sum(a.outputTokens, b.outputTokens),
    costMicros: sum(a.costMicros, b.costMicros),
    gpuMs: sum(a.gpuMs, b.gpuMs),
    toolCalls: sum(a.toolCalls, b.toolCalls),
    generations: sum(a.generations, b.generations),
  };
}

/** What a budget leaves beside what was used. */
export function remainingOf(budget: TreeBudget, usage: Usage): TreeBudget {
  const used = usedOf(usage);
  const left = (kind: keyof TreeBudget): number | null => {
    const limit = budget[kind];
    return limit === null ? null : Math.max(0, limit - used[kind]);
  };
  return {
    tokens: left("tokens"),
    costMicros: left("costMicros"),
    gpuMs: left("gpuMs"),
    toolCalls: left("toolCalls"),
  };
}

/** The least of each limit of several budgets, one within the other. */
export function leastBudget(budgets: readonly TreeBudget[]): TreeBudget {
  const least = (kind: keyof TreeBudget): number | null => {
    const limits = budgets.flatMap((budget) => budget[kind] ?? []);
    return limits.length === 0 ? null : Math.min(...limits);
  };
  return {
    tokens: least("tokens"),
    costMicros: least("costMicros"),
    gpuMs: least("gpuMs"),
    toolCalls: least("toolCalls"),
  };
}

/** What was used, in the words of a budget. */
export function usedOf(usage: Usage): Readonly<Record<keyof TreeBudget, number>> {
  const { promptTokens, outputTokens, costMicros, gpuMs, toolCalls } = usage;
  return { tokens: sum(promptTokens, outputTokens), costMicros, gpuMs, toolCalls };
}

function sum(a: number, b = 0): number {
  return Math.min(a + (Number.isNaN(b) ? 0 : b), Number.MAX_SAFE_INTEGER);
}
