import { describe, expect, test } from "vitest";
import { endEvent, endOf, wordsOf } from "../../src/runtime/outcome.ts";

const FAILURE = { code: "timeout", message: "Too slow.", retryable: false };

const whole = (answer: string | null) => ({ answer, isCutShort: false });

describe("endOf", () => {
  test("keeps what was answered, whatever ended the task", () => {
    for (const output of [
      { state: "done" },
      { state: "cancelled", reason: "enough" },
      { state: "failed", failure: FAILURE },
    ] as const)
      expect(endOf(output, whole("gold"), 100)).toMatchObject({
        state: output.state,
        result: "gold",
        truncated: false,
      });
  });

  test("has a failure when it failed, and only then", () => {
    expect(endOf({ state: "failed", failure: FAILURE }, whole(null), 100)).toEqual({
      state: "failed",
      result: null,
      truncated: false,
      failure: FAILURE,
    });
    expect(endOf({ state: "done" }, whole(""), 100)).toEqual({
      state: "done",
      result: "",
      truncated: false,
      failure: null,
    });
  });

  test("cuts a long answer and says so", () => {
    const end = endOf({ state: "done" }, whole("x".repeat(1_000)), 100);
    expect([end.truncated, end.result?.length]).toEqual([true, 100]);
  });
});

test.each([
  [{ spawned: "queued" }, "spawned", "queued"],
  [{ running: "waiting_slot" }, "running", "waiting_slot"],
  ["steering", "steering", null],
  ["done", "done", null],
] as const)("the state value %j is shown as %s, %s", (value, state, phase) => {
  expect(wordsOf(value as never)).toEqual({ state, phase });
});

test("each end has its event", () => {
  const none = { result: null, truncated: false, failure: null };
  expect(endEvent({ ...none, state: "done", result: "gold" }, { state: "done" })).toEqual({
    type: "task.done",
    data: { resultChars: 4, truncated: false },
  });
  const output = { state: "cancelled", reason: "enough" } as const;
  expect(endEvent({ ...none, state: "cancelled" }, output).data).toEqual({
    reason: "enough",
    resultKept: false,
  });
  expect(
    endEvent({ ...none, state: "failed", failure: FAILURE }, { state: "failed", failure: FAILURE }),
  ).toEqual({
    type: "task.failed",
    data: { code: "timeout", message: "Too slow." },
  });
});
