// The arithmetic of the benchmarks: medians, percentiles, ratios of rounds and growth exponents. Pure.

/**
 * The value below which `share` of the samples lie, by the nearest rank: a figure that was really measured.
 * Contract: throws RangeError for no samples and for a share outside 0..1.
 */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new RangeError("Expected at least one sample, got none.");
  if (!(share >= 0 && share <= 1)) throw new RangeError(`Expected a share from 0 to 1, got ${share}.`);
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}

/** The middle sample, or the mean of the middle two. Contract: throws RangeError for no samples. */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) throw new RangeError("Expected at least one sample, got none.");
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export function summarize(samples: readonly number[]): Summary {
  return {
    count: samples.length,
    min: percentile(samples, 0),
    median: median(samples),
    p95: percentile(samples, 0.95),
    p99: percentile(samples, 0.99),
    max: percentile(samples, 1),
  };
}

/**
 * The median of the rounds' own ratios `of / to`: a slow moment of the machine hits both sides of its round.
 * Contract: throws RangeError when the lists differ in length or are empty.
 */
export function medianRatio(of: readonly number[], to: readonly number[]): number {
  if (of.length !== to.length) {
    throw new RangeError(`Expected as many samples on both sides, got ${of.length} and ${to.length}.`);
  }
  return median(of.map((value, round) => value / (to[round] as number)));
}

/** One measured size: `value` is the cost at `size`. */
export interface GrowthPoint {
  readonly size: number;
  readonly value: number;
}

export interface GrowthFit {
  /** The power of the size that the cost grows with: 1 is linear. */
  readonly exponent: number;
  /** Half the width of its 95 % confidence interval; infinite below three points. */
  readonly margin: number;
  /** Share of the variance (of the logarithms) that the fit explains. */
  readonly r2: number;
}

/** Two-sided 95 % quantiles of Student's t for 1 to 10 degrees of freedom; beyond that, the normal one is near. */
const T_95 = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23] as const;

/**
 * Least squares of log(value) over log(size).
 * Contract: throws RangeError for fewer than two sizes and for a size or value that is not above 0.
 */
export function fitGrowth(points: readonly GrowthPoint[]): GrowthFit {
  if (new Set(points.map((point) => point.size)).size < 2) {
    throw new RangeError("Expected at least two different sizes to fit a growth exponent.");
  }
  const bad = points.find((point) => !(point.size > 0 && point.value > 0));
  if (bad !== undefined) {
    throw new RangeError(`Expected sizes and values above 0, got ${bad.value} at ${bad.size}.`);
  }
  const xs = points.map((point) => Math.log(point.size));
  const ys = points.map((point) => Math.log(point.value));
  const meanX = mean(xs);
  const meanY = mean(ys);
  const sxx = sum(xs.map((x) => (x - meanX) ** 2));
  const sxy = sum(xs.map((x, at) => (x - meanX) * ((ys[at] as number) - meanY)));
  const syy = sum(ys.map((y) => (y - meanY) ** 2));
  const exponent = sxy / sxx;
  const residual = Math.max(0, syy - exponent * sxy);
  const freedom = points.length - 2;
  const t = freedom < 1 ? Number.POSITIVE_INFINITY : (T_95[freedom - 1] ?? 1.96);
  const margin = freedom < 1 ? Number.POSITIVE_INFINITY : t * Math.sqrt(residual / freedom / sxx);
  return { exponent, margin, r2: syy < 1e-18 ? 1 : 1 - residual / syy };
}

export interface LineFit {
  /** What each further unit of size adds. */
  readonly slope: number;
  /** What is there at size 0. */
  readonly base: number;
}

/** Least squares of value over size. Contract: throws RangeError for fewer than two different sizes. */
export function fitLine(points: readonly GrowthPoint[]): LineFit {
  if (new Set(points.map((point) => point.size)).size < 2) {
    throw new RangeError("Expected at least two different sizes to fit a line.");
  }
  const meanX = mean(points.map((point) => point.size));
  const meanY = mean(points.map((point) => point.value));
  const sxx = sum(points.map((point) => (point.size - meanX) ** 2));
  const sxy = sum(points.map((point) => (point.size - meanX) * (point.value - meanY)));
  return { slope: sxy / sxx, base: meanY - (sxy / sxx) * meanX };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
