// The last words of the demo.

import { describe, expect, it } from "vitest";
import type { CrashReport } from "../../src/cli/demo-crash-facts.ts";
import type { DemoReport } from "../../src/cli/demo-report.ts";
import { summaryOf } from "../../src/cli/demo-summary.ts";
import { columnsOf } from "../../src/cli/printable.ts";

const REPORT: DemoReport = {
  backend: "simulated",
  passed: true,
  failures: [],
  person: "scripted",
  parent: "simulated",
  models: { parent: "sim-orchestrator", children: "sim-worker" },
  elapsedMs: 19_700,
  conversation: {
    longestBlockedMs: 39,
    longestWaitMs: 537,
    patienceMs: 5_000,
    answeredWhileRunning: 3,
    messages: [],
    calls: [{ name: "delegate_task_async", ms: 39, failed: false }],
  },
  tasks: [
    {
      taskId: "task_931bad0000",
      parentId: "ses_1",
      goal: "Count.",
      model: "sim-worker",
      toolsets: ["file"],
      state: "done",
      turns: 4,
      steers: [{ steerId: "steer_1", state: "delivered", turn: 3 }],
      result: "Report by rule (simulated): Count.\nCount: 3 files\u001b[2J in 1 folder.",
      failure: null,
      ranMs: 11_700,
    },
  ],
  waits: [
    { who: "child", taskId: "task_931bad0000", for: "a slot", times: 4, longestMs: 2_400, totalMs: 6_500 },
  ],
  checks: [{ name: "the story comes to its end", held: true }],
};

const textOf = (report: DemoReport): string =>
  summaryOf(report, 80)
    .map((line) =>
      typeof line === "string"
        ? line
        : line.map((span) => (typeof span === "string" ? span : span[1])).join(""),
    )
    .join("\n");

describe("summaryOf", () => {
  it("says who waited for what and how long the conversation was ever held up, in 80 columns", () => {
    const text = textOf(REPORT);
    expect(text).toContain("1 delegation call; none held the conversation longer than 39 ms.");
    expect(text).toMatch(/task_931bad +a slot +4 × +longest 2\.4 s +in all 6\.5 s/);
    expect(text).toContain("All 1 promises held.");
    expect(text.split("\n").filter((line) => columnsOf(line) > 80)).toEqual([]);
  });

  it("never shows simulated figures without saying so", () => {
    expect(textOf(REPORT)).toContain("simulated: these figures are no measurement of a GPU");
    expect(textOf({ ...REPORT, backend: "ollama" })).not.toContain("simulated: these");
  });

  it("shows a result without its head and without what a terminal would obey", () => {
    expect(textOf(REPORT)).toContain("               Count: 3 files in 1 folder.");
    expect(textOf(REPORT)).toContain("done after 11.7 s, 4 turns, steer delivered at turn 3");
  });

  it("tells each fact about the kill as it was seen, and counts it", () => {
    const facts = [
      { name: "every task is there again", held: true, got: "4 of 4" },
      { name: "the steer is delivered once", held: false, got: "delivered 2 ×" },
    ];
    const kill = { pid: 7, nextPid: 8, downMs: 640 } as NonNullable<CrashReport["kill"]>;
    const crash = { kill, durability: "full", tasksBefore: 4, tasksAfter: 4, results: [], facts };
    const text = textOf({ ...REPORT, crash });
    expect(text).toContain("After the kill -9 (pid 7, gone for 640 ms; then pid 8, checked over HTTP)");
    expect(text).toContain("  ✓ every task is there again: 4 of 4");
    expect(text).toContain("  ✗ the steer is delivered once: delivered 2 ×");
    expect(text).toContain("All 3 promises held.");
  });

  it("names what did not hold, and what to do where the parent's model did not delegate", () => {
    const failures = ["does not hold: the parent delegates three goals"];
    const text = textOf({ ...REPORT, passed: false, failures, parent: "model", tasks: [] });
    expect(text).toContain(failures[0]);
    expect(text).toContain("sim-orchestrator did not delegate by itself.");
  });
});
