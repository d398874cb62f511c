import { describe, expect, test } from "vitest";
import { chatPolicy, plainAnswer } from "../../../src/simulator/policies/chat.ts";
import { user } from "../fixtures.ts";

describe("plain answers", () => {
  test.each([
    ["Hello there", "Hello. I am a rule-based simulation"],
    ["thanks!", "You are welcome."],
    ["What are you?", "not a language model"],
    ["what is 17 * 3?", "17 * 3 = 51."],
    ["8 / 2", "= 4."],
    ["the weather is nice", "the weather is nice"],
  ])("%j is answered with %j", (text, part) => {
    expect(plainAnswer(text)).toContain(part);
  });

  test("an echo says that it is a simulation, and varies with the text alone", () => {
    const answers = ["a b", "c d", "e f", "g h", "i j"].map(plainAnswer);
    expect(answers.every((answer) => /rule-based simulation/.test(answer))).toBe(true);
    expect(new Set(answers.map((answer) => answer.slice(0, 8))).size).toBeGreaterThan(1);
    expect(plainAnswer("a b")).toBe(answers[0]);
  });
});

test("the chat model answers what is new, a steer like any other text", () => {
  expect(chatPolicy({ messages: [user("thanks"), user("[steer] 2 + 2")], tools: [] }).text).toBe(
    "You are welcome.\n2 + 2 = 4.",
  );
  expect(chatPolicy({ messages: [], tools: [] }).text).toContain("Nothing was asked");
});
