// Ratios between contenders, seed by seed and then the median, and what of a workload's targets holds. Pure.

import type { Claim } from "../report.ts";
import { median } from "../statistics.ts";
import type { Cell, MatrixRow } from "./matrix.ts";
import type { Metrics } from "./metrics.ts";
import type { Bounds } from "./bounds.ts";

export const OURS = "troupe";
/** Troupe told nothing: no peer of itself. */
export const OURS_AUTO = "troupe auto";
export const isOurs = (name: string): boolean => name === OURS || name === OURS_AUTO;

/** The figure of each seed, `null` where the run was not exact or there was nothing to measure. */
type Figures = readonly (number | null)[];

/** The median of a figure over the seeds that have it; `null` for none. */
export function medianOf(cells: readonly Cell[], key: keyof Metrics): number | null {
  const values = figuresOf(cells, key).filter((value) => value !== null);
  return values.length === 0 ? null : median(values);
}

/** The median of the seeds' own ratios `of / to`; `null` where no seed has both. */
export function ratioOf(of: Figures, to: Figures): number | null {
  const ratios = of.flatMap((value, at) => {
    const other = to[at] ?? null;
    return value === null || other === null || other === 0 ? [] : [value / other];
  });
  return ratios.length === 0 ? null : median(ratios);
}

/** How many times as long as Troupe a contender takes, by this figure. */
export function against(row: MatrixRow, name: string, key: keyof Metrics): number | null {
  return ratioOf(figuresOf(row.cells.get(name) ?? [], key), figuresOf(row.cells.get(OURS) ?? [], key));
}

/** The peer that does best by this figure, of those that have it on every seed. */
export function bestPeer(row: MatrixRow, key: keyof Metrics): string | null {
  const peers = [...row.cells].filter(
    ([name, cells]) => !isOurs(name) && figuresOf(cells, key).every((value) => value !== null),
  );
  const medians = peers.map(([name, cells]) => ({ name, value: medianOf(cells, key) as number }));
  return medians.toSorted((a, b) => a.value - b.value)[0]?.name ?? null;
}

/** The targets that the workload states, each with what was measured; a peer without figures gives no claim. */
export function claimsOf(row: MatrixRow): readonly Claim[] {
  const { workload } = row;
  const { targets, name } = workload;
  const ours = row.cells.get(OURS) ?? [];
  const claims: Claim[] = [];
  const claim = (words: string, value: number | null, rest: Pick<Claim, "limit" | "bound">): void => {
    if (value !== null) claims.push({ name: `${name}: ${words}`, value, ...rest });
  };
  const atMost = (limit: number) => ({ limit, bound: "at_most" }) as const;
  const atLeast = (limit: number) => ({ limit, bound: "at_least" }) as const;
  if (targets.over_bound !== undefined) {
    claim("makespan ÷ lower bound", medianOf(ours, "over_bound"), atMost(targets.over_bound));
  }
  const times = [
    ["makespan", "makespan_s", targets.makespan_against],
    ["mean completion of a parent", "parent_mean_s", targets.parent_against],
    ["p95 of a question's first token", "question_p95_s", targets.first_token_against],
  ] as const;
  for (const [words, key, limits] of times) {
    for (const [peer, limit] of Object.entries(limits)) {
      const rival = peer === "best" ? bestPeer(row, key) : peer;
      if (rival === null) continue;
      const shown = peer === "best" ? `the best peer (${rival})` : rival;
      claim(`${words}, ${shown} ÷ Troupe`, against(row, rival, key), atLeast(limit));
    }
  }
  for (const [peer, limit] of Object.entries(targets.swaps_against)) {
    const swaps = figuresOf(ours, "swaps");
    const to = peer === "floor" ? floors(row.bounds) : figuresOf(row.cells.get(peer) ?? [], "swaps");
    claim(`model loads, Troupe ÷ ${peer}`, ratioOf(swaps, to), atMost(limit));
  }
  if (targets.jain !== undefined) {
    claim("Jain's index over parents", medianOf(ours, "jain"), atLeast(targets.jain));
  }
  return claims;
}

/**
 * Targets that no scheduler can reach: what would have to be below its own lower bound.
 * Each is a line with the bound that says so, from medians over the seeds.
 */
export function impossibleTargets(row: MatrixRow): readonly string[] {
  if (row.bounds.length === 0) return [];
  const bound = median(row.bounds.map((each) => each.makespanMs)) / 1_000;
  const loads = median(row.bounds.map((each) => each.swaps));
  const { makespan_against: makespans, swaps_against: swaps } = row.workload.targets;
  const lines: string[] = [];
  for (const [peer, limit] of Object.entries(makespans)) {
    const theirs = medianOf(row.cells.get(peer) ?? [], "makespan_s");
    if (theirs === null || theirs / bound >= limit) continue;
    lines.push(
      `${row.workload.name}: no scheduler can be ${limit} times as fast as ${peer}: at the lower bound it is ${(theirs / bound).toFixed(2)} times`,
    );
  }
  for (const [peer, limit] of Object.entries(swaps)) {
    const theirs = medianOf(row.cells.get(peer) ?? [], "swaps");
    if (theirs === null || theirs === 0 || loads / theirs <= limit) continue;
    lines.push(
      `${row.workload.name}: no scheduler can load ${limit} times as often as ${peer}: ${loads} loads are the least, ${peer} has ${theirs}`,
    );
  }
  return lines;
}

function figuresOf(cells: readonly Cell[], key: keyof Metrics): Figures {
  return cells.map(({ metrics }) => metrics?.[key] ?? null);
}

function floors(bounds: readonly Bounds[]): Figures {
  return bounds.map((bound) => bound.swaps);
}
