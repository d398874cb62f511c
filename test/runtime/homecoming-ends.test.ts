// A task that was on its way to its end when the server died gets there.

import { describe, expect, test } from "vitest";
import { call } from "../../providers/script.ts";
import type { Tool } from "../../src/core/tool.ts";
import { agentNamed } from "./rig.ts";
import { RestartingBox } from "./restarting.ts";

const stubborn: Tool = {
  definition: { name: "hit", description: "Hits.", parameters: { type: "object" } },
  repeatable: true,
  run: async (_input, { clock }) => {
    await new Promise<void>((resolve) => clock.after(2_000, resolve));
    return { type: "result", value: "hit" };
  },
};

const hammering = () =>
  new RestartingBox({
    settings: { sessionAgent: agentNamed("session", { toolsets: ["delegation", "hammer"] }) },
    toolsets: [{ name: "hammer", description: "A hammer.", tools: () => [stubborn] }],
    reply: () => [call("hit", {})],
  });

describe("after a restart", () => {
  test("E4 a session that was closing is closed, and its children with it", async () => {
    const box = hammering();
    const { taskId } = await box.api.createSession();
    const child = await box.api.delegate({ goal: "dig", parentId: taskId, toolsets: ["hammer"] });
    await box.clock.advance(500);
    void box.api.closeSession(taskId);
    await box.clock.advance(100);
    expect(await box.restart()).toMatchObject({ failed: 0 });
    await box.clock.advance(100);
    expect([(await box.record(taskId)).state, (await box.record(child.taskId)).state]).toEqual([
      "done",
      "cancelled",
    ]);
  });

  test("E4 a session is closed too that was taken up before, and whose box then stopped by itself", async () => {
    const box = hammering();
    const { taskId } = await box.api.createSession();
    await box.api.sendMessage(taskId, { text: "dig" });
    const child = await box.api.delegate({ goal: "dig", parentId: taskId, toolsets: ["hammer"] });
    await box.clock.advance(500);
    await box.restart();
    await box.clock.advance(500);
    void box.api.closeSession(taskId);
    await box.clock.advance(100);
    const drained = box.rig.runtime.drain(200);
    await box.clock.advance(200);
    await drained;
    expect((await box.record(taskId)).end).toBeNull();
    expect(await box.restart()).toMatchObject({ failed: 0 });
    await box.clock.advance(100);
    expect([(await box.record(taskId)).state, (await box.record(child.taskId)).state]).toEqual([
      "done",
      "cancelled",
    ]);
  });
});
