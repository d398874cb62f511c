// The figures of one run, computed from its history alone. Times are seconds from the start of the run.

import { percentile } from "../statistics.ts";
import { idealParentMs, type Bounds } from "./bounds.ts";
import type { AttemptRecord, History, TaskRecord } from "./history.ts";
import type { Plan } from "./plan.ts";
import type { Played } from "./play.ts";

/** `null` where there was nothing to measure. */
export interface Metrics {
  /** Until the last task and question had ended. */
  readonly makespan_s: number;
  readonly over_bound: number | null;
  /** From a parent's arrival to the end of its last child; of a child from its spawn to its end, done ones only. */
  readonly parent_mean_s: number | null;
  readonly parent_p95_s: number | null;
  readonly child_mean_s: number | null;
  readonly child_p95_s: number | null;
  /** From the moment at which a turn is ready (a child's first one: from its spawn) to its first token. */
  readonly first_token_mean_s: number | null;
  readonly first_token_p95_s: number | null;
  /** The same of a person's own questions. */
  readonly question_mean_s: number | null;
  readonly question_p95_s: number | null;
  readonly swaps: number;
  /** Share of the prompt tokens of continuing turns that were not computed again. */
  readonly cache_hit: number | null;
  readonly gpu_busy: number;
  /** Jain's index over the parents' slowdowns: completion over what the parent's work would take alone. */
  readonly jain: number | null;
  /** The longest that a turn that was ready waited for its slot on the server. */
  readonly max_wait_s: number;
  /** Written by generations that were aborted. */
  readonly wasted_tokens: number | null;
  readonly refused: number;
  readonly decision_mean_us: number | null;
  readonly decision_p99_us: number | null;
}

/** Contract: pure; for a run that finished. */
export function metricsOf(plan: Plan, played: Played, bounds: Bounds | null): Metrics {
  const { history, server, cost } = played;
  const tasks = [...history.tasks.values()];
  const makespanMs = Math.max(0, ...tasks.map((task) => task.endedAt ?? 0));
  const completions = completionsOf(plan, tasks);
  const done = history.attempts.filter((attempt) => attempt.outcome === "ok");
  const ofParents = [...completions.values()];
  const ofChildren = tasks
    .filter((task) => task.kind === "task" && task.outcome === "done")
    .map((task) => (task.endedAt ?? 0) - task.spawnedAt);
  const ofTurns = firstTokens(history, done, "task");
  const ofQuestions = firstTokens(history, done, "question");
  return {
    makespan_s: makespanMs / 1_000,
    over_bound: bounds === null ? null : makespanMs / bounds.makespanMs,
    parent_mean_s: meanS(ofParents),
    parent_p95_s: p95S(ofParents),
    child_mean_s: meanS(ofChildren),
    child_p95_s: p95S(ofChildren),
    first_token_mean_s: meanS(ofTurns),
    first_token_p95_s: p95S(ofTurns),
    question_mean_s: meanS(ofQuestions),
    question_p95_s: p95S(ofQuestions),
    swaps: server.loads,
    cache_hit: cacheHit(done),
    gpu_busy: (server.busyMs ?? busyMs(done)) / makespanMs,
    jain: jainOf([...completions].map(([rootId, ms]) => ms / idealParentMs(plan, rootId))),
    max_wait_s: Math.max(0, ...done.map((attempt) => slotAt(attempt) - readyAt(history, attempt))) / 1_000,
    wasted_tokens: server.abortedTokens,
    refused: server.refused,
    decision_mean_us: cost?.meanUs ?? null,
    decision_p99_us: cost?.p99Us ?? null,
  };
}

/** Jain's index of fairness: 1 when all are equal, 1/n when one has everything; `null` for nobody. */
export function jainOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return sum(values) ** 2 / (values.length * sum(values.map((value) => value ** 2)));
}

function completionsOf(plan: Plan, tasks: readonly TaskRecord[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const { kind, rootId, endedAt } of tasks) {
    if (kind === "task") last.set(rootId, Math.max(last.get(rootId) ?? 0, endedAt ?? 0));
  }
  return new Map(plan.parents.map(({ id, atMs }) => [id, (last.get(id) ?? atMs) - atMs]));
}

function firstTokens(
  history: History,
  attempts: readonly AttemptRecord[],
  kind: AttemptRecord["kind"],
): readonly number[] {
  return attempts
    .filter((attempt) => attempt.kind === kind && attempt.firstTokenAt !== null)
    .map((attempt) => (attempt.firstTokenAt as number) - readyAt(history, attempt));
}

function readyAt(history: History, attempt: AttemptRecord): number {
  const spawned = history.tasks.get(attempt.taskId)?.spawnedAt ?? attempt.readyAt;
  return attempt.turn === 0 ? spawned : attempt.readyAt;
}

/** When the server began to read the prompt. */
function slotAt({ endedAt, figures }: AttemptRecord): number {
  return (endedAt ?? 0) - (figures?.promptMs ?? 0) - (figures?.outputMs ?? 0);
}

function cacheHit(done: readonly AttemptRecord[]): number | null {
  let [cached, all] = [0, 0];
  for (const { turn, figures } of done) {
    if (turn === 0 || figures === null || figures.cachedTokens === null) continue;
    cached += figures.cachedTokens;
    all += figures.promptTokens;
  }
  return all === 0 ? null : cached / all;
}

/** The time that the generations that were completed cover together. */
function busyMs(done: readonly AttemptRecord[]): number {
  let [covered, until] = [0, Number.NEGATIVE_INFINITY];
  for (const attempt of done.toSorted((a, b) => slotAt(a) - slotAt(b))) {
    const from = Math.max(until, slotAt(attempt));
    const to = attempt.endedAt ?? 0;
    if (to > from) covered += to - from;
    until = Math.max(until, to);
  }
  return covered;
}

function meanS(ms: readonly number[]): number | null {
  return ms.length === 0 ? null : sum(ms) / ms.length / 1_000;
}

function p95S(ms: readonly number[]): number | null {
  return ms.length === 0 ? null : percentile(ms, 0.95) / 1_000;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
