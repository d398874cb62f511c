// Counts what a run of the test runner came to. Pure: it sees the runner's JSON report and its exit code.
//
// G1. A run that ended badly counts at least one failure, whatever its report says or lacks.

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function addTallies(tallies: readonly Tally[]): Tally {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const tally of tallies) {
    sum.passed += tally.passed;
    sum.failed += tally.failed;
    sum.skipped += tally.skipped;
  }
  return sum;
}

/** The line that every gate ends with. */
export function tallyLine({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

const count = (value: unknown): number => (typeof value === "number" && value >= 0 ? value : 0);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A file that failed without a failing test could not be loaded: it counts as one failure. */
function brokenFiles(report: Record<string, unknown>): number {
  const files = Array.isArray(report["testResults"]) ? report["testResults"].filter(isRecord) : [];
  return files.filter((file) => {
    const tests = Array.isArray(file["assertionResults"]) ? file["assertionResults"].filter(isRecord) : [];
    return file["status"] === "failed" && !tests.some((test) => test["status"] === "failed");
  }).length;
}

/**
 * The tally of one run of the test runner.
 * Contract: never throws; `report` is the parsed JSON report, or `undefined` when none was written.
 */
export function tallyOf(report: unknown, exitCode: number): Tally {
  const facts = isRecord(report) ? report : {};
  const passed = count(facts["numPassedTests"]);
  const failed = count(facts["numFailedTests"]) + brokenFiles(facts);
  const skipped = count(facts["numPendingTests"]) + count(facts["numTodoTests"]);
  // A run without a single test checked nothing, and unhandled errors fail a run whose tests all pass (G1).
  const unexplained = failed === 0 && (exitCode !== 0 || passed === 0);
  return { passed, failed: unexplained ? 1 : failed, skipped };
}
