// How fast a quantity grows: a line through its samples, how sure that is, and what follows from it. Pure.

export interface Point {
  readonly hours: number;
  readonly value: number;
}

export interface Slope {
  readonly perHour: number;
  /** Half of the 95 % confidence interval; infinite where too few samples tell. */
  readonly margin: number;
  readonly mean: number;
}

/** `unknown`: the samples allow for both; a longer run can tell. */
export type Verdict = "flat" | "grows" | "unknown";

/** Two standard errors of a slope, for the few dozen samples that a run has. */
const SIGMAS = 2.1;

/**
 * Least squares over time. Samples that follow each other resemble each other, so the margin is widened by what their
 * residuals have in common with the ones before.
 * Contract: never throws; with fewer than three samples nothing is known.
 */
export function slopeOf(points: readonly Point[]): Slope {
  const count = points.length;
  const meanX = mean(points.map(({ hours }) => hours));
  const meanY = mean(points.map(({ value }) => value));
  const sxx = sum(points.map(({ hours }) => (hours - meanX) ** 2));
  if (count < 3 || sxx === 0) return { perHour: 0, margin: Infinity, mean: meanY };
  const perHour = sum(points.map(({ hours, value }) => (hours - meanX) * (value - meanY))) / sxx;
  const residuals = points.map(({ hours, value }) => value - meanY - perHour * (hours - meanX));
  const variance = sum(residuals.map((each) => each ** 2)) / (count - 2);
  const likeness = Math.min(0.9, Math.max(0, correlation(residuals)));
  const margin = SIGMAS * Math.sqrt((variance / sxx) * ((1 + likeness) / (1 - likeness)));
  return { perHour, margin, mean: meanY };
}

/** Whether it grows by more than `limit` an hour. */
export function verdictOf({ perHour, margin }: Slope, limit: number): Verdict {
  if (perHour - margin > limit) return "grows";
  return perHour + margin <= limit ? "flat" : "unknown";
}

/** Of each value with the one before it. */
function correlation(values: readonly number[]): number {
  const all = sum(values.map((value) => value ** 2));
  const pairs = sum(values.slice(1).map((value, at) => value * (values[at] ?? 0)));
  return all === 0 ? 0 : pairs / all;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}
