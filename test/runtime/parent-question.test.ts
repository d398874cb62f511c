import { expect, test } from "vitest";
import {
  askedWords,
  mayAgentAnswer,
  nothingAsked,
  questionIn,
  questionMail,
} from "../../src/runtime/parent-question.ts";

const ASKS = { for: "input", prompt: "which?", asks: "parent" } as const;

test("a question is a wait for an answer in words, and nothing else is", () => {
  expect(questionIn({ callId: "c", wait: ASKS })).toEqual({ ...ASKS, callId: "c" });
  expect(questionIn({ callId: "c", wait: { for: "timer", timeoutMs: 1 } })).toBeNull();
});

test("its mail names the child and the call, and its id is that of no other call", () => {
  const ids = ["c", "d"].map((callId) => questionMail("task_1", { ...ASKS, callId }).id);
  expect(new Set(ids).size).toBe(2);
  expect(questionMail("task_1", { ...ASKS, callId: "c" })).toMatchObject({
    from: "agent:task_1",
    childId: "task_1",
    questionId: "c",
    text: "which?",
  });
});

test("no agent says whether a call may act", () => {
  expect(mayAgentAnswer({ approval: true })).toBe(false);
  expect(mayAgentAnswer({})).toBe(true);
});

test("surfaces show who may answer", () => {
  expect(askedWords(ASKS)).toBe("its parent or a person: which?");
  expect(askedWords({ prompt: "may I?" })).toBe("a person: may I?");
});

test("an answer that nobody waits for is refused, and told why", () => {
  expect(nothingAsked("task_1", null)).toMatchObject({ code: "nothing_asked", kind: "conflict" });
  expect(nothingAsked("task_1", null).message).toContain("somebody has answered, or its time was over");
  expect(nothingAsked("task_1", "a person: may I?").message).toContain("wants a person to allow a call");
});
