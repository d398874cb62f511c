// The count of the gate's last line, over reports as the test runner writes them and over broken ones.

import { describe, expect, it } from "vitest";
import { addTallies, tallyLine, tallyOf } from "../../scripts/tally.ts";

const file = (status: string, ...tests: readonly string[]): unknown => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

describe("tallyOf", () => {
  it("counts what passed, failed and was skipped", () => {
    const report = {
      numPassedTests: 5,
      numFailedTests: 2,
      numPendingTests: 1,
      numTodoTests: 1,
      testResults: [file("failed", "failed", "failed", "passed"), file("passed", "passed")],
    };
    expect(tallyOf(report, 1)).toEqual({ passed: 5, failed: 2, skipped: 2 });
  });

  it("counts a file that could not be loaded as one failure", () => {
    const report = { numPassedTests: 5, numFailedTests: 0, testResults: [file("failed"), file("passed")] };
    expect(tallyOf(report, 1)).toEqual({ passed: 5, failed: 1, skipped: 0 });
  });

  it("G1 counts a failure for a bad exit that no test explains", () => {
    expect(tallyOf({ numPassedTests: 5, numFailedTests: 0, testResults: [] }, 1).failed).toBe(1);
  });

  it.each([undefined, null, "text", [], {}, { numPassedTests: "5" }])(
    "G1 counts a failure for the report %j",
    (report) => {
      expect(tallyOf(report, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    },
  );

  it("passes a clean run", () => {
    expect(tallyOf({ numPassedTests: 3, numFailedTests: 0, testResults: [file("passed")] }, 0).failed).toBe(
      0,
    );
  });
});

describe("tallyLine", () => {
  it("is the plain line that a gate ends with", () => {
    const sum = addTallies([
      { passed: 1, failed: 0, skipped: 2 },
      { passed: 40, failed: 3, skipped: 0 },
    ]);
    expect(tallyLine(sum)).toBe("41 passed, 3 failed");
  });
});
