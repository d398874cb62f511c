// A cancel that was acknowledged is what a task ends with, whatever its policy for restarts.

import { expect, test } from "vitest";
import { call, say } from "../../providers/script.ts";
import type { Tool } from "../../src/core/tool.ts";
import { RestartingBox } from "./restarting.ts";

const stubborn: Tool = {
  definition: { name: "hit", description: "Hits.", parameters: { type: "object" } },
  repeatable: true,
  run: async (_input, { clock }) => {
    await new Promise<void>((resolve) => clock.after(1_000, resolve));
    return { type: "result", value: "hit" };
  },
};

test.each(["resume", "restart", "fail"] as const)(
  "I9 a cancel that was acknowledged before the server died ends a task with on_restart: %s as cancelled",
  async (onRestart) => {
    const box = new RestartingBox({
      toolsets: [{ name: "hammer", description: "A hammer.", tools: () => [stubborn] }],
      reply: ({ messages }) => (messages.at(-1)?.role === "tool" ? [say("done")] : [call("hit", {})]),
    });
    const { taskId } = await box.api.delegate({ goal: "dig", toolsets: ["hammer"], onRestart });
    await box.clock.advance(500);
    expect(await box.api.cancel(taskId)).toMatchObject({ cancelled: [taskId] });
    await box.restart();
    await box.clock.advance(5_000);
    expect((await box.record(taskId)).state).toBe("cancelled");
    expect((await box.events(taskId)).filter((type) => type === "turn.started")).toHaveLength(1);
  },
);
