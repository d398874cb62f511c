import { describe, expect, test } from "vitest";
import { hang, say } from "../../providers/script.ts";
import { VERSION } from "../../src/version.ts";
import { AGENT_MACHINE_VERSION } from "../../machines/agent.ts";
import { RESIDENCY_STATES } from "../../src/core/lifecycle.ts";
import { converse } from "./conversation.ts";
import { rig } from "./rig.ts";

describe("the box as people see it", () => {
  test("shows each GPU with who holds what and who waits, and why", async () => {
    const { api, clock } = rig({ reply: () => [hang()] });
    for (const goal of ["a", "b"]) await api.delegate({ goal });
    await clock.advance(100);
    const [gpu] = await api.gpus();
    const [lane] = gpu?.backends ?? [];
    expect(gpu).toMatchObject({ gpu: "gpu0", loaded: [] });
    expect(lane).toMatchObject({ backend: "gpu", slots: 1, leases: [{ heldMs: 100 }] });
    expect(lane?.places).toHaveLength(2);
    expect(lane?.waiting).toMatchObject([
      { wants: "lease", position: 1, reason: expect.stringMatching(/1 of 1/) as string },
    ]);
  });

  test("names the providers with what they say of themselves", async () => {
    const { api } = rig({ reply: () => [say("x")] });
    expect(await api.providers()).toEqual([
      {
        provider: "gpu",
        type: "scripted",
        baseUrl: "scripted:",
        reachable: true,
        version: "scripted",
        problem: null,
        simulated: true,
        models: [],
        keys: [],
      },
    ]);
  });

  test("gives each machine as plain JSON, states and all", async () => {
    const { api } = rig({ reply: () => [say("x")] });
    const { version, definition } = await api.machine("agent");
    expect(version).toBe(AGENT_MACHINE_VERSION);
    expect(Object.keys((definition as { states: object }).states)).toEqual([
      "spawned",
      "running",
      "steering",
      "done",
      "cancelled",
      "failed",
    ]);
    const residency = await api.machine("residency");
    expect(Object.keys((residency.definition as { states: object }).states)).toEqual(RESIDENCY_STATES);
    await expect(api.machine("toaster")).rejects.toMatchObject({ code: "machine_not_found" });
  });

  test("while paused takes tasks and begins none, and what runs goes on", async () => {
    const it = await converse((goal) => (goal === "first" ? [hang()] : [say("x")]));
    const first = await it.start("first");
    await it.api.pause(true);
    const later = await it.api.delegate({ goal: "later" });
    await it.pass(100);
    expect([await it.state(first), await it.state(later.taskId)]).toEqual(["running", "spawned"]);
    expect((await it.api.status()).paused).toBe(true);
    await it.api.pause(false);
    await it.pass(100);
    expect(await it.state(later.taskId)).toBe("done");
  });

  test("says what it is and how much it has done", async () => {
    const { api, clock } = rig({ reply: () => [say("x")], settings: { version: VERSION, simulated: true } });
    const startedAt = clock.now();
    await api.delegate({ goal: "a" });
    await clock.advance(50);
    expect(await api.status()).toMatchObject({
      version: VERSION,
      boxId: "testbox",
      simulated: true,
      paused: false,
      startedAt,
      durability: "none",
      tasks: { done: 1, running: 0 },
    });
  });
});

test("the status says which walls the config took away", async () => {
  const safe = rig({ reply: () => [] });
  expect((await safe.api.status()).unsafe).toEqual([]);
  const bare = rig({ settings: { unsafe: ["no walls"] }, reply: () => [] });
  expect((await bare.api.status()).unsafe).toEqual(["no walls"]);
});
