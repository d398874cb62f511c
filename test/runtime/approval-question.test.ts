import { expect, test } from "vitest";
import type { ToolWait } from "../../src/core/tool.ts";
import { questionOf } from "../../src/runtime/approval-question.ts";

const asks = (prompt: string): ToolWait => ({ for: "input", prompt, approval: true });

test("one call is asked by itself, several in one question, and other waits not at all", () => {
  const others: ToolWait[] = [
    { for: "input", prompt: "?" },
    { for: "timer", timeoutMs: 1 },
    { for: "children", taskIds: [] },
  ];
  expect(questionOf(others)).toBe("");
  expect(questionOf([...others, asks("a {}")])).toBe("Allow a {}? Answer yes or no.");
  expect(questionOf([asks("a {}"), ...others, asks("b {}")])).toBe(
    "Allow these 2 calls, all or none? Answer yes or no.\n1. a {}\n2. b {}",
  );
});
