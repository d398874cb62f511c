// What a server made of a workload, and how two of them differ. Pure.

import { median } from "../statistics.ts";

/** What became of one request. Milliseconds since the workload began; figures as the server gives them. */
export interface RequestOutcome {
  readonly ended: "done" | "busy" | "gone" | "failed";
  readonly endMs: number;
  readonly outputTokens: number;
  readonly loadMs: number;
  readonly promptTokens: number;
  readonly promptMs: number;
}

/** What became of all of them. */
export interface WorkloadOutcome {
  readonly requests: readonly RequestOutcome[];
  /** Models loaded meanwhile, as the server says. */
  readonly loads: number;
}

export interface Difference {
  readonly sameEnds: boolean;
  readonly sameLoads: boolean;
  /** Pairs whose order the simulator is sure of, and those of them that came the other way round. */
  readonly clearPairs: number;
  readonly wrongPairs: number;
  /** The largest difference of a completion, as a share of the makespan, on either side. */
  readonly worstCompletion: number;
  /** The mean of these differences. */
  readonly meanCompletion: number;
}

/** Ends that lie closer together than this share of the makespan have no order of their own. */
const CLEAR_SHARE = 0.1;

/**
 * Several runs of one workload as one: each figure its median; the ends and the loads must have been the same.
 * Throws RangeError without runs; `null` when the runs do not agree with each other.
 */
export function middleOf(runs: readonly WorkloadOutcome[]): WorkloadOutcome | null {
  const first = runs[0];
  if (first === undefined) throw new RangeError("Expected at least one run, got none.");
  const alike = (run: WorkloadOutcome): boolean =>
    run.loads === first.loads &&
    run.requests.every((request, at) => request.ended === first.requests[at]?.ended);
  if (!runs.every(alike)) return null;
  const figure = (at: number, pick: (request: RequestOutcome) => number): number =>
    median(runs.map((run) => pick(run.requests[at] as RequestOutcome)));
  const requests = first.requests.map((request, at) => ({
    ...request,
    endMs: figure(at, ({ endMs }) => endMs),
    loadMs: figure(at, ({ loadMs }) => loadMs),
    promptMs: figure(at, ({ promptMs }) => promptMs),
  }));
  return { requests, loads: first.loads };
}

/** How far a server's own runs lie apart: the mean difference of their relative completions from the middle one's. */
export function spreadOf(runs: readonly WorkloadOutcome[], middle: WorkloadOutcome): number {
  const means = runs.map((run) => difference(run, middle).meanCompletion);
  return means.reduce((sum, mean) => sum + mean, 0) / means.length;
}

const doneEnds = ({ requests }: WorkloadOutcome): ReadonlyMap<number, number> =>
  new Map(requests.flatMap(({ ended, endMs }, at) => (ended === "done" ? [[at, endMs] as const] : [])));

const lastOf = (ends: ReadonlyMap<number, number>): number => Math.max(0, ...ends.values());

/** How the real server's outcome differs from the simulated one's. Only what is done on both sides has an order. */
export function difference(real: WorkloadOutcome, simulated: WorkloadOutcome): Difference {
  const [realEnds, ends] = [doneEnds(real), doneEnds(simulated)];
  const [realLast, last] = [lastOf(realEnds), lastOf(ends)];
  const both = [...ends.keys()].filter((at) => realEnds.has(at));
  const at = (map: ReadonlyMap<number, number>, key: number): number => map.get(key) as number;
  const pairs = both.flatMap((a, place) => both.slice(place + 1).map((b) => [a, b] as const));
  const clear = pairs.filter(([a, b]) => Math.abs(at(ends, a) - at(ends, b)) > CLEAR_SHARE * last);
  const wrong = clear.filter(([a, b]) => at(ends, a) < at(ends, b) !== at(realEnds, a) < at(realEnds, b));
  const shares = both.map((key) => Math.abs(at(ends, key) / last - at(realEnds, key) / realLast));
  return {
    sameEnds: real.requests.every(({ ended }, key) => ended === simulated.requests[key]?.ended),
    sameLoads: real.loads === simulated.loads,
    clearPairs: clear.length,
    wrongPairs: wrong.length,
    worstCompletion: Math.max(0, ...shares),
    meanCompletion: shares.length === 0 ? 0 : shares.reduce((sum, share) => sum + share, 0) / shares.length,
  };
}
