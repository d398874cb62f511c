import { describe, expect, test } from "vitest";
import { workIn } from "../../../src/simulator/policies/split-goal.ts";

const THREE = ["Count the files in src", "List the headings of README.md", "Find TODO in test"];

describe("several jobs in a message", () => {
  test.each([
    ["semicolons", "Count the files in src; list the headings of README.md; find TODO in test."],
    [
      "semicolons after an opening",
      "Please do three things: count the files in src; list the headings of README.md; and find TODO in test",
    ],
    ["numbers", "1. Count the files in src\n2. List the headings of README.md\n3. Find TODO in test"],
    [
      "numbers in a line",
      "Please: 1) count the files in src 2) list the headings of README.md 3) find TODO in test",
    ],
    [
      "bullets",
      "I want this:\n- count the files in src\n- list the headings of README.md\n* find TODO in test",
    ],
    ["commas and an and", "Count the files in src, list the headings of README.md and find TODO in test."],
    ["sentences", "Count the files in src. List the headings of README.md. Then find TODO in test."],
    [
      "politeness",
      "Could you please count the files in src, list the headings of README.md, and then find TODO in test",
    ],
  ])("by %s", (_, message) => {
    expect(workIn(message).parts).toEqual(THREE);
  });

  test("a context is for all of them and is no part", () => {
    const work = workIn("Count files in a; count files in b\n\nContext: they are small");
    expect(work).toEqual({ parts: ["Count files in a", "Count files in b"], context: "they are small" });
  });

  test("no list starts more than 32", () => {
    expect(workIn(Array.from({ length: 40 }, (_, at) => `read f${at}.md`).join("; ")).parts).toHaveLength(32);
  });
});

describe("one job, or none", () => {
  test.each([
    ["Read README.md and LICENSE"],
    ["Read README.md and summarise it"],
    ["Count the files in src and name the largest"],
    ["Find TODO in src and tell me which files have them"],
  ])("%j is one job", (message) => {
    expect(workIn(message).parts).toEqual([message]);
  });

  test.each([
    "Hello; how are you?",
    "What is 17 * 3?",
    "While they work: what is 17 * 3?",
    "Thanks, and good night",
    "Tell me a joke",
    "Which files did you read?",
    "",
  ])("%j is talk", (message) => {
    expect(workIn(message).parts).toEqual([]);
  });

  test("what is to be delegated is work, whatever its words", () => {
    expect(workIn("Delegate: sing a song").parts).toEqual(["Sing a song"]);
  });
});
