// What a benchmark's report says, for a person and as JSON.

import { describe, expect, it } from "vitest";
import { holds, hostFacts, isExact, renderReport, reportsJson } from "../../bench/report.ts";
import type { BenchReport } from "../../bench/report.ts";

const report: BenchReport = {
  name: "sample",
  measured: "nothing",
  notMeasured: ["everything"],
  claims: [
    { name: "wait in ms", value: 4.2, limit: 5, bound: "at_most" },
    { name: "tasks a second", value: 90, limit: 100, bound: "at_least" },
  ],
  lines: ["a line"],
  figures: { raw: [1, 2] },
};

describe("a report", () => {
  it("judges each claim by its bound, the limit itself included", () => {
    expect(report.claims.map(holds)).toEqual([true, false]);
    expect(holds({ name: "x", value: 5, limit: 5, bound: "at_most" })).toBe(true);
    expect(holds({ name: "x", value: 5, limit: 5, bound: "at_least" })).toBe(true);
    expect(holds({ name: "x", value: Number.NaN, limit: 5, bound: "at_most" })).toBe(false);
  });

  it("shows verdicts, the machine and what was not measured", () => {
    const text = renderReport(report, hostFacts());
    expect(text).toContain("holds   wait in ms: 4.20 (≤ 5)");
    expect(text).toContain("MISSED  tasks a second: 90 (≥ 100)");
    expect(text).toMatch(/with node \d+\.\d+\.\d+, commit .*xstate \d/);
    expect(text).toContain("not measured: everything");
  });

  it("shows no figure of a run that was not exact", () => {
    const checks = [{ name: "every task ended once", holds: false, detail: "299 of 300" }];
    const text = renderReport({ ...report, checks }, hostFacts());
    expect(text).toContain("FAILED  every task ended once: 299 of 300");
    expect(text).not.toMatch(/4\.20|a line/);
    const json = JSON.parse(reportsJson([{ ...report, checks }], hostFacts())) as Record<string, unknown>;
    expect(json).toMatchObject({ benches: [{ exact: false, claims: [], figures: {} }] });
    expect(isExact(report)).toBe(true);
  });

  it("is one JSON document with the machine and every claim's verdict", () => {
    const json = JSON.parse(reportsJson([report], hostFacts())) as Record<string, unknown>;
    expect(json).toMatchObject({
      host: { cores: expect.any(Number) as number },
      benches: [
        { name: "sample", claims: [{ holds: true }, { holds: false }], not_measured: ["everything"] },
      ],
    });
  });
});
