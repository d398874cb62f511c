import { describe, expect, test } from "vitest";
import { briefOf } from "../../../src/simulator/policies/worker-brief.ts";
import { seenIn } from "../../../src/simulator/policies/worker-plan.ts";
import { reportOf } from "../../../src/simulator/policies/worker-report.ts";
import { exchangesOf } from "../../../src/simulator/policies/transcript.ts";
import { assistant, result } from "../fixtures.ts";

const WORK = [
  assistant("", ["list_dir", { path: "src" }]),
  result("list_dir", "src/core/\nsrc/a.ts 120\nsrc/b.md 30\nsrc/c.ts 999"),
  assistant("", ["read_file", { path: "src/a.ts" }]),
  result(
    "read_file",
    "src/a.ts, lines 1-4 (120 bytes):\n// Adds things.\nexport function one() {}\nfunction two() {}\n",
  ),
  assistant("", ["read_file", { path: "src/b.md" }]),
  result(
    "read_file",
    "src/b.md, lines 1-3 (30 bytes):\n\n## The b file\n# More\n[truncated: call read_file with start_line 4 to go on]",
  ),
  assistant("", ["search_files", { text: "TODO", path: "src" }]),
  result("search_files", "src/a.ts:2: TODO one\nsrc/a.ts:3: TODO two\nsrc/b.md:1: TODO three"),
  assistant("", ["read_file", { path: "gone.md" }]),
  result("read_file", "There is no gone.md in the workspace."),
];
const report = (goal: string, ...steers: readonly string[]) =>
  reportOf(briefOf(goal, steers), seenIn(exchangesOf(WORK)));

describe("the report", () => {
  test("states facts of each result and says that it was made by rule", () => {
    expect(report("Say what is in src/").split("\n")).toEqual([
      "Report by rule (simulated): Say what is in src/",
      "- src: 3 files, 1 folder: a.ts, b.md, c.ts",
      '- src/a.ts: 3 lines; 120 bytes; begins "Adds things."',
      '- src/b.md: more than 3 lines; 30 bytes; first heading "The b file"; 2 headings',
      '- "TODO" in src: 3 matching lines in 2 files',
      "  src/a.ts:2 TODO one",
      "  src/a.ts:3 TODO two",
      "  src/b.md:1 TODO three",
      "- read_file failed: There is no gone.md in the workspace.",
    ]);
  });

  test("counts, functions and sizes are told when they are asked for", () => {
    expect(report("Count the files in src/")).toContain("Count: 3 files in 1 folder listed.");
    expect(report("Name the largest file")).toContain("Largest: src/c.ts (999 bytes), src/a.ts (120 bytes)");
    expect(report("List the functions in src/")).toContain("2 functions");
  });

  test("the root is no part of it where it was only the way", () => {
    const way = [assistant("", ["list_dir", { path: "." }]), result("list_dir", "src/\nREADME.md 5")];
    const seen = (messages: typeof WORK) => seenIn(exchangesOf(messages));
    const goal = briefOf("Count the files in src", []);
    expect(reportOf(goal, seen([...way, ...WORK]))).toBe(reportOf(goal, seen(WORK)));
    expect(reportOf(goal, seen(way))).toContain("Count: 1 file in 1 folder");
  });

  test("a steer is said to have been followed, and what it left out is left out", () => {
    const text = report("Say what is in src/", "only Markdown files");
    expect(text).toContain('I followed the steer "only Markdown files": only .md files.');
    expect(text).toContain("of them 1 .md file: b.md");
    expect(text).toContain('"TODO" in src: 1 matching line in 1 file');
    expect(text).not.toContain("- src/a.ts");
  });

  test("a focus keeps what it names", () => {
    const text = report("Say what is in src/", "focus on b.md");
    expect(text).toContain("- src/b.md");
    expect(text).not.toContain("- src/a.ts");
    expect(text).not.toContain("TODO");
  });

  test("a wish to be brief makes it short", () => {
    expect(report("Say what is in src/", "be brief").split("\n").length).toBeLessThan(6);
  });

  test("nothing seen is said", () => {
    expect(reportOf(briefOf("x", []), seenIn([]))).toContain("Nothing was found");
  });
});
