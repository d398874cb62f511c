// Ratios, claims and targets that no scheduler reaches, from forged rows.

import { describe, expect, it } from "vitest";
import {
  against,
  bestPeer,
  claimsOf,
  impossibleTargets,
  ratioOf,
} from "../../../bench/scheduler/comparison.ts";
import type { Cell, MatrixRow } from "../../../bench/scheduler/matrix.ts";
import type { Metrics } from "../../../bench/scheduler/metrics.ts";
import { matrixReport } from "../../../bench/scheduler/matrix-report.ts";
import { small } from "./small-workload.ts";

const NOTHING: Metrics = {
  makespan_s: 100,
  over_bound: 1,
  parent_mean_s: 50,
  parent_p95_s: null,
  child_mean_s: null,
  child_p95_s: null,
  first_token_mean_s: null,
  first_token_p95_s: null,
  question_mean_s: null,
  question_p95_s: null,
  swaps: 2,
  cache_hit: null,
  gpu_busy: 1,
  jain: 0.95,
  max_wait_s: 0,
  wasted_tokens: 0,
  refused: 0,
  decision_mean_us: null,
  decision_p99_us: null,
};

function cell(strategy: string, metrics: Partial<Metrics> | null, problems: readonly string[] = []): Cell {
  const full = metrics === null ? null : { ...NOTHING, ...metrics };
  return {
    strategy,
    seed: 1,
    metrics: full,
    deadlocked: problems[0]?.startsWith("deadlock") === true,
    problems,
    timeline: [],
  };
}

function row(cells: Readonly<Record<string, readonly Cell[]>>, targets: object = {}): MatrixRow {
  const seeds = Object.values(cells)[0]?.map((_, at) => at) ?? [];
  const bound = { workMs: 90_000, slotMs: 0, pathMs: 0, makespanMs: 90_000, swaps: 2 };
  return {
    workload: small({ targets }),
    seeds,
    tasks: 8,
    bounds: seeds.map(() => bound),
    cells: new Map(Object.entries(cells)),
  };
}

const of = (strategy: string, ...makespans: number[]) =>
  makespans.map((makespan_s) => cell(strategy, { makespan_s }));

describe("ratios", () => {
  it("are the median of the seeds' own, and leave out seeds that one side lacks", () => {
    expect(ratioOf([2, 9, 8], [1, 3, 2])).toBe(3);
    expect(ratioOf([2, null, 8], [1, 3, null])).toBe(2);
    expect(ratioOf([1], [null])).toBeNull();
    expect(
      against(row({ troupe: of("troupe", 10, 20), slow: of("slow", 30, 40) }), "slow", "makespan_s"),
    ).toBe(2.5);
  });

  it("take for the best peer nobody that failed on a seed, and never Troupe", () => {
    const cells = {
      troupe: of("troupe", 1, 1),
      "troupe auto": of("troupe auto", 1, 1),
      broken: [cell("broken", { makespan_s: 2 }), cell("broken", null, ["deadlock: …"])],
      good: of("good", 5, 5),
      worse: of("worse", 6, 6),
    };
    expect(bestPeer(row(cells), "makespan_s")).toBe("good");
  });
});

describe("claimsOf", () => {
  it("judges what the workload states, and nothing else", () => {
    const targets = {
      over_bound: 1.2,
      makespan_against: { direct: 2, best: 0.95 },
      swaps_against: { floor: 3, direct: 0.5 },
      jain: 0.9,
    };
    const cells = { troupe: of("troupe", 100), direct: of("direct", 190) };
    const claims = claimsOf(row(cells, targets)).map(({ name, value, limit, bound }) => [
      name,
      value,
      limit,
      bound,
    ]);
    expect(claims).toEqual([
      ["small: makespan ÷ lower bound", 1, 1.2, "at_most"],
      ["small: makespan, direct ÷ Troupe", 1.9, 2, "at_least"],
      ["small: makespan, the best peer (direct) ÷ Troupe", 1.9, 0.95, "at_least"],
      ["small: model loads, Troupe ÷ floor", 1, 3, "at_most"],
      ["small: model loads, Troupe ÷ direct", 1, 0.5, "at_most"],
      ["small: Jain's index over parents", 0.95, 0.9, "at_least"],
    ]);
    expect(claimsOf(row(cells))).toEqual([]);
  });

  it("says nothing against a peer that has no figures", () => {
    const cells = { troupe: of("troupe", 100), direct: [cell("direct", null, ["deadlock: …"])] };
    expect(claimsOf(row(cells, { makespan_against: { direct: 2, best: 1 } }))).toEqual([]);
  });
});

describe("impossibleTargets", () => {
  it("names those that even the lower bound would miss, with the bound", () => {
    const cells = { troupe: of("troupe", 100), direct: of("direct", 180) };
    const lines = impossibleTargets(
      row(cells, { makespan_against: { direct: 2.2 }, swaps_against: { direct: 0.2 } }),
    );
    expect(lines).toEqual([
      "small: no scheduler can be 2.2 times as fast as direct: at the lower bound it is 2.00 times",
      "small: no scheduler can load 0.2 times as often as direct: 2 loads are the least, direct has 2",
    ]);
    expect(impossibleTargets(row(cells, { makespan_against: { direct: 1.9 } }))).toEqual([]);
  });
});

describe("matrixReport", () => {
  const good = { troupe: of("troupe", 100), direct: of("direct", 190) };

  it("is exact when every run was, and when a peer deadlocked", () => {
    const stuck = { ...good, semaphore: [cell("semaphore", null, ["deadlock: 3 of 8 tasks can never end"])] };
    for (const cells of [good, stuck]) expect(matrixReport([row(cells)]).checks[0]?.holds).toBe(true);
    const report = matrixReport([row(stuck)]);
    expect(report.lines.join("\n")).toContain("deadlocked on 1 of 1 seeds");
    expect(report.checks[0]?.detail).toContain("1 of peers deadlocked");
  });

  it.each([
    ["Troupe deadlocked", { troupe: [cell("troupe", null, ["deadlock: 1 of 8"])] }],
    ["a peer lost a task", { direct: [cell("direct", null, ["task-1 ended 0 times"])] }],
  ])("is void when %s", (_, cells) => {
    expect(matrixReport([row({ ...good, ...cells })]).checks[0]?.holds).toBe(false);
  });
});
