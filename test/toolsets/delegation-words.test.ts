import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TaskApi, TaskHandle, TaskResult } from "../../src/core/api.ts";
import { NO_USAGE } from "../../src/core/limits.ts";
import type { ToolContext } from "../../src/core/tool.ts";
import {
  endedIds,
  idOf,
  outcomeOf,
  outcomesOf,
  requestsOf,
  started,
  tell,
} from "../../src/toolsets/delegation-words.ts";
import { toolContext } from "./tool-context.ts";

const CONTEXT = toolContext("/tmp");

/** A context whose children have these results; `null` for one that still works. */
function withResults(results: readonly (string | null)[], maxResultChars = 24_000): ToolContext {
  const collect = (taskId: string): Promise<TaskResult> => {
    const result = results[Number(taskId.slice(-4))] ?? null;
    const state = result === null ? "running" : "done";
    return Promise.resolve({
      taskId,
      finished: result !== null,
      state,
      phase: null,
      result,
      truncated: false,
      failure: null,
      usage: NO_USAGE,
    });
  };
  return { ...CONTEXT, maxResultChars, tasks: { collect } as unknown as TaskApi };
}

const ids = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `task_${String(n).padStart(32, "0")}`);

describe("what is asked for", () => {
  it("takes one goal, or a list of them, each under a key of its own", () => {
    expect(requestsOf({ goal: "a", context: "c", role: "leaf" }, CONTEXT)).toEqual([
      { goal: "a", context: "c", role: "leaf", idempotencyKey: "call_1/0" },
    ]);
    expect(requestsOf({ goal: "a", isolation: "worktree" }, CONTEXT)).toMatchObject([
      { isolation: "worktree" },
    ]);
    const requests = requestsOf({ tasks: [{ goal: "a" }, { goal: "b", toolsets: ["file"] }] }, CONTEXT);
    expect(requests).toEqual([
      { goal: "a", idempotencyKey: "call_1/0" },
      { goal: "b", toolsets: ["file"], idempotencyKey: "call_1/1" },
    ]);
  });

  it("names the limits of a budget as the API does", () => {
    const budget = { tokens: 5, cost_micros: 6, gpu_ms: 7, tool_calls: 8 };
    expect(requestsOf({ goal: "a", budget }, CONTEXT)).toMatchObject([
      { budget: { tokens: 5, costMicros: 6, gpuMs: 7, toolCalls: 8 } },
    ]);
  });

  it("refuses both and neither", () => {
    expect(() => requestsOf({}, CONTEXT)).toThrow(/neither/);
    expect(() => requestsOf({ goal: "a", tasks: [{ goal: "b" }] }, CONTEXT)).toThrow(/got both/);
  });

  it("is never about the agent itself", () => {
    expect(idOf({ task_id: "task_2" }, CONTEXT)).toBe("task_2");
    expect(() => idOf({ task_id: "task_1" }, CONTEXT)).toThrow(
      expect.objectContaining({ code: "own_task" }) as Error,
    );
  });
});

describe("what a model is told", () => {
  it("of a child that was started: its id, its place and what to know, and no result", () => {
    const handle: TaskHandle = {
      taskId: "task_2",
      state: "spawned",
      phase: "queued",
      queuePosition: 3,
      created: true,
      link: null,
      async: false,
      note: "It has no tools.",
    };
    expect(started(handle)).toEqual({
      task_id: "task_2",
      state: "spawned",
      phase: "queued",
      queue_position: 3,
      note: "Started. Its result will reach you as a message; do not make one up. It has no tools.",
    });
  });

  it("of a child that has not ended: that there is no result", async () => {
    const outcome = await outcomeOf(ids(1)[0] as string, withResults([null]));
    expect(outcome).toMatchObject({
      finished: false,
      note: expect.stringContaining("Do not make one up") as string,
    });
    expect(outcome).not.toHaveProperty("result");
  });

  it("names those that have ended, and no others", async () => {
    const outcomes = await outcomesOf(ids(3), withResults(["a", null, "c"]));
    expect(endedIds(outcomes)).toEqual([ids(3)[0], ids(3)[2]]);
    expect(tell(outcomes)).toEqual({ value: { results: outcomes }, delivers: [ids(3)[0], ids(3)[2]] });
  });

  it("of many children fits into one answer: every child is in it, and who was cut says so", async () => {
    const text = fc.oneof(fc.string({ maxLength: 60_000 }), fc.string({ unit: "binary", maxLength: 5_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 12 }), async (results) => {
        const outcomes = await outcomesOf(ids(results.length), withResults(results, 13_000));
        expect(JSON.stringify({ results: outcomes }).length).toBeLessThanOrEqual(13_000);
        for (const [at, outcome] of outcomes.entries()) {
          const whole = outcome.result === results[at];
          expect(outcome.truncated ?? false).toBe(!whole);
          const shown = whole ? outcome.result : outcome.result?.slice(0, -1);
          expect(results[at]?.startsWith(shown ?? "nothing was shown")).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});
