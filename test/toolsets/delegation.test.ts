// The seven tools as a model sees them, and what a call does when it runs a second time after a crash. What they do
// with living children stands in test/runtime/delegation-*.test.ts.

import { describe, expect, it } from "vitest";
import { hang, say } from "../../providers/script.ts";
import type { Tool, ToolContext } from "../../src/core/tool.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { delegationToolset } from "../../src/toolsets/delegation.ts";
import { rig, type Rig } from "../runtime/rig.ts";
import { toolContext } from "./tool-context.ts";

const tools = delegationToolset({ onInterrupt: "continue" }).tools("orchestrator");

function named(name: string): Tool {
  const found = tools.find(({ definition }) => definition.name === name);
  if (!found) throw new Error(`There is no tool ${name}.`);
  return found;
}

/** A session and the context of one call of its agent. */
async function atWork(): Promise<Rig & { readonly sessionId: string; context(callId: string): ToolContext }> {
  const made = rig({
    reply: () => [hang()],
    settings: {
      backends: [{ name: "gpu", provider: "gpu", gpu: null, slots: 9, maxChildren: 9, local: true }],
    },
  });
  const { taskId } = await made.api.createSession();
  const tasks = made.runtime.as({ name: taskId, scopes: ["read", "control"], taskId });
  return {
    ...made,
    sessionId: taskId,
    context: (callId) => ({
      ...toolContext("/tmp"),
      taskId,
      rootId: taskId,
      role: "orchestrator",
      callId,
      tasks,
    }),
  };
}

describe("the delegation tools", () => {
  it("are eight, for orchestrators, and none for a leaf", () => {
    expect(tools.map(({ definition }) => definition.name)).toEqual([
      "delegate_task",
      "delegate_task_async",
      "check_task",
      "steer_task",
      "answer_task",
      "collect_task",
      "cancel_task",
      "list_tasks",
    ]);
    expect(delegationToolset({ onInterrupt: "cancel" }).tools("leaf")).toEqual([]);
  });

  it.each([{ tokens: 0 }, { tokens: -5 }, { tokens: "many" }, { tokens: 0.5 }, { dollars: 1 }, 7])(
    "refuse the budget %j",
    (budget) => {
      for (const input of [{ goal: "dig", budget }, { tasks: [{ goal: "dig", budget }] }])
        expect(() => checkArguments(named("delegate_task"), input)).toThrow(
          expect.objectContaining({ code: "bad_arguments" }),
        );
    },
  );

  it("tell the model that a child knows only its goal and its context", () => {
    for (const name of ["delegate_task", "delegate_task_async"])
      expect(named(name).definition.description).toContain("it knows ONLY goal and context");
  });

  it("may all be run again: each call creates, steers and cancels once, however often it runs", async () => {
    const it = await atWork();
    const twice = async (name: string, args: object): Promise<unknown[]> => {
      const tool = named(name);
      const context = it.context(`call_${name}`);
      const input = checkArguments(tool, args);
      return [await tool.run(input, context), await tool.run(input, context)];
    };
    const [first, second] = (await twice("delegate_task_async", { goal: "dig" })) as {
      value: { task_id: string };
    }[];
    expect(second?.value.task_id).toBe(first?.value.task_id);
    await twice("delegate_task", { tasks: [{ goal: "a" }, { goal: "b" }] });
    expect((await it.api.check(it.sessionId)).children).toHaveLength(3);
    const task_id = first?.value.task_id as string;
    await twice("steer_task", { task_id, message: "deeper" });
    expect((await it.api.check(task_id)).steers).toHaveLength(1);
    await twice("cancel_task", { task_id });
    await it.clock.advance(10);
    expect((await it.api.check(task_id)).state).toBe("cancelled");
    expect(tools.every(({ repeatable }) => repeatable)).toBe(true);
  });

  it("are of use to the agent that calls and to nobody's parent: ids come from its own subtree", async () => {
    const it = await atWork();
    const stranger = await it.api.delegate({ goal: "private" });
    for (const name of ["check_task", "collect_task", "cancel_task"]) {
      const run = named(name).run({ task_id: stranger.taskId }, it.context("call_1"));
      await expect(run).rejects.toMatchObject({ code: "task_not_found" });
    }
  });

  it("a wait that goes on finds its children by the same call, and names whom it told of", async () => {
    const made = rig({ reply: () => [say("gold")] });
    const { taskId } = await made.api.createSession();
    const tasks = made.runtime.as({ name: taskId, scopes: ["read", "control"], taskId });
    const context: ToolContext = {
      ...toolContext("/tmp"),
      taskId,
      rootId: taskId,
      role: "orchestrator",
      tasks,
    };
    const tool = named("delegate_task");
    const outcome = await tool.run({ goal: "dig" }, context);
    if (outcome.type !== "suspended" || outcome.wait.for !== "children") throw new Error("It did not wait.");
    await made.clock.advance(10);
    const ended = { wait: outcome.wait, end: { cause: "satisfied" } } as const;
    expect(await tool.resume?.({ goal: "dig" }, ended, context)).toMatchObject({
      type: "result",
      value: { results: [{ task_id: outcome.wait.taskIds[0], finished: true, result: "gold" }] },
      delivers: outcome.wait.taskIds,
    });
  });
});
