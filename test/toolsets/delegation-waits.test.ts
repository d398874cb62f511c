import { describe, expect, it } from "vitest";
import type { TaskApi } from "../../src/core/api.ts";
import type { WaitEnd } from "../../src/core/tool.ts";
import { endedEarly } from "../../src/toolsets/delegation-waits.ts";
import { toolContext } from "./tool-context.ts";

/** A wait for `task_done`, which has ended, and `task_open`. */
async function end(how: WaitEnd, onInterrupt: "continue" | "cancel") {
  const cancelled: string[] = [];
  const tasks = {
    collect: async (taskId: string) => {
      const finished = taskId === "task_done";
      return { taskId, finished, state: finished ? "done" : "running", result: finished ? "gold" : null };
    },
    cancel: async (taskId: string) => void cancelled.push(taskId),
  } as unknown as TaskApi;
  const wait = { for: "children", taskIds: ["task_done", "task_open"] } as const;
  const outcome = await endedEarly({ wait, end: how }, { ...toolContext("/tmp"), tasks }, onInterrupt);
  return { outcome, cancelled };
}

describe("a wait for children that ends early", () => {
  it.each([
    ["interrupted", "continue", "go on"],
    ["interrupted", "cancel", "were cancelled"],
    ["asked", "continue", "answer_task first"],
    ["asked", "cancel", "all children go on"],
  ] as const)("by %s, where a word of a person means %s", async (cause, onInterrupt, note) => {
    const told = await end({ cause }, onInterrupt);
    const callsOff = cause === "interrupted" && onInterrupt === "cancel";
    expect(told.cancelled).toEqual(callsOff ? ["task_open"] : []);
    expect(told.outcome).toMatchObject({
      type: "result",
      delivers: ["task_done"],
      value: {
        [cause]: true,
        task_ids: ["task_open"],
        results: [
          { task_id: "task_done", result: "gold" },
          { task_id: "task_open", finished: false },
        ],
        note: expect.stringContaining(note) as string,
      },
    });
  });

  it("is none that ended as it should", async () => {
    expect((await end({ cause: "satisfied" }, "continue")).outcome).toBeNull();
    expect((await end({ cause: "timeout" }, "continue")).outcome).toBeNull();
  });
});
