// What tools hold for a task is let go of when it ends, however it ends, and its end says so.

import { describe, expect, test } from "vitest";
import { call, hang, say } from "../../providers/script.ts";
import type { Toolset } from "../../src/core/tool.ts";
import { watched } from "./failing-store.ts";
import { rig } from "./rig.ts";

/** A toolset that notes what it was told to let go of, and lets go when the test says so. */
function holding() {
  const told: string[] = [];
  let letGo = (): void => {};
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  const tool = {
    definition: { name: "hold", description: "Holds on.", parameters: { type: "object", properties: {} } },
    repeatable: false,
    run: async () => ({ type: "result", value: "held" }) as const,
  };
  const toolset: Toolset = {
    name: "holding",
    description: "",
    tools: () => [tool],
    release: async (taskId) => {
      told.push(taskId);
      await gone;
    },
  };
  return { told, letGo: () => letGo(), toolset };
}

describe("releasing", () => {
  test("a task that is done is shown as such when its tools have let go", async () => {
    const { told, letGo, toolset } = holding();
    const { api, clock } = rig({
      toolsets: [toolset],
      reply: ({ messages }) => (messages.at(-1)?.role === "tool" ? [say("done")] : [call("hold", {})]),
    });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["holding"] });
    await clock.advance(1_000);
    expect([told, (await api.check(taskId)).state]).toEqual([[taskId], "running"]);
    letGo();
    await clock.advance(1);
    expect(await api.check(taskId)).toMatchObject({
      state: "done",
      releasedAt: expect.any(Number) as number,
    });
    expect(new Set(told)).toEqual(new Set([taskId]));
  });

  test("a cancelled one whose tools do not let go is ended by force, and not shown as released", async () => {
    const { told, letGo, toolset } = holding();
    const { api, clock } = rig({
      settings: { cancelDeadlineMs: 2_000 },
      toolsets: [toolset],
      reply: () => [hang()],
    });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["holding"] });
    await clock.advance(10);
    await api.cancel(taskId);
    await clock.advance(1);
    expect(told).toEqual([taskId]);
    await clock.advance(2_500);
    expect(await api.check(taskId)).toMatchObject({ state: "cancelled", releasedAt: null });
    letGo();
    await clock.advance(1);
  });

  test("a task that another owner has taken over holds nothing here any more", async () => {
    const { told, toolset } = holding();
    const it = watched({ toolsets: [toolset], reply: () => [hang()] });
    const { taskId } = await it.api.delegate({ goal: "dig", toolsets: ["holding"] });
    const heal = it.fail("heartbeat");
    await it.clock.advance(70_000);
    await it.store.claim({ owner: "another box", boxId: "testbox", ttlMs: 60_000, max: 100 });
    heal();
    expect(told).toEqual([]);
    await it.clock.advance(20_000);
    expect(told).toEqual([taskId]);
  });
});
