// What a restart decides about a task: whether it has room, time and a model, and how often it may be taken up again.
// Each of these tasks once went on for ever, or failed for what was not its doing.

import { describe, expect, test } from "vitest";
import { call, hang, say, wait } from "../../providers/script.ts";
import { delay } from "../../src/base/clock.ts";
import { StoreError } from "../../src/base/errors.ts";
import type { BackendSettings } from "../../src/core/settings.ts";
import type { Tool, Toolset } from "../../src/core/tool.ts";
import { MAX_RESUMES } from "../../src/runtime/resuming.ts";
import { RestartingBox } from "./restarting.ts";
import { testSettings } from "./rig.ts";
import { wrappedStore } from "./wrapped-store.ts";

const ONE_PLACE: readonly BackendSettings[] = [
  { name: "gpu", provider: "gpu", gpu: "gpu0", slots: 1, maxChildren: 1, local: true },
];

/** A tool that is at it for so long, whatever it is told. */
function digging(workMs: number): Toolset {
  const tool: Tool = {
    definition: { name: "dig", description: "Digs.", parameters: { type: "object" } },
    repeatable: true,
    run: async (_input, { clock }) => {
      await delay(clock, workMs);
      return { type: "result", value: "earth" };
    },
  };
  return { name: "digging", description: "Digs.", tools: () => [tool] };
}

describe("a task that begins again after each restart", () => {
  test("R2 is found out when the server dies in each of its runs", async () => {
    const box = new RestartingBox({ reply: () => [hang()] });
    const { taskId } = await box.api.delegate({ goal: "dig", onRestart: "restart" });
    await box.clock.advance(100);
    for (let deaths = 0; deaths <= MAX_RESUMES; deaths++) {
      expect((await box.record(taskId)).state).toBe("running");
      await box.restart();
      await box.clock.advance(100);
    }
    expect(await box.record(taskId)).toMatchObject({
      state: "failed",
      run: MAX_RESUMES + 1,
      end: { failure: { code: "crash_loop" } },
    });
  });

  test("has used the active time of its runs before", async () => {
    const box = new RestartingBox({
      toolsets: [digging(5_000)],
      reply: ({ messages }) => [call("dig", { hole: messages.length })],
    });
    const wish = { goal: "dig", timeoutMs: 30_000, toolsets: ["digging"], onRestart: "restart" } as const;
    const { taskId } = await box.api.delegate(wish);
    await box.clock.advance(20_000);
    await box.restart();
    await box.clock.advance(20_000);
    expect(await box.record(taskId)).toMatchObject({
      state: "failed",
      run: 2,
      end: { failure: { code: "timeout" } },
    });
  });
});

test("T1 a deadline ends a task that waits for its place after a restart", async () => {
  const box = new RestartingBox({
    toolsets: [digging(60_000)],
    reply: ({ messages }) => (messages.at(-1)?.role === "tool" ? [say("done")] : [call("dig", {})]),
  });
  const first = await box.api.delegate({ goal: "first", toolsets: ["digging"] });
  const second = await box.api.delegate({ goal: "second", toolsets: ["digging"], deadlineMs: 10_000 });
  await box.clock.advance(2_000);
  await box.restart({ settings: { backends: ONE_PLACE } });
  await box.clock.advance(8_000);
  expect((await box.record(first.taskId)).state).toBe("running");
  expect(await box.record(second.taskId)).toMatchObject({
    state: "failed",
    end: { failure: { code: "timeout" } },
  });
});

test("a task that was accepted and never claimed is not refused for room, though there is less of it now", async () => {
  let isHeld = false;
  const box = new RestartingBox({
    reply: () => [wait(500), say("gold")],
    wrapStore: (store) =>
      wrappedStore(store, {
        before: (name) => (isHeld && name === "claim" ? new Promise(() => {}) : undefined),
      }),
  });
  for (const goal of ["first", "second"]) await box.api.delegate({ goal });
  await box.clock.advance(100);
  isHeld = true;
  void box.api.delegate({ goal: "third" });
  await box.clock.advance(10);
  await box.crash();
  isHeld = false;
  const stored = async () => (await box.store.list({})).items.map(({ state }) => state);
  expect(await stored()).toEqual(["running", "running", "spawned"]);
  await box.start({ settings: { backends: ONE_PLACE, maxQueued: 1 } });
  await box.clock.advance(10_000);
  expect(await stored()).toEqual(["done", "done", "done"]);
});

test("R3 a session whose model is gone says so, and listens on", async () => {
  const box = new RestartingBox({ reply: () => [say("ok")] });
  const { taskId } = await box.api.createSession();
  await box.api.sendMessage(taskId, { text: "go" });
  await box.clock.advance(200);
  const models = testSettings().models.filter(({ ref }) => ref.model !== "parent");
  await box.restart({ settings: { models } });
  await box.api.sendMessage(taskId, { text: "still there?" });
  await box.clock.advance(5_000);
  expect(await box.record(taskId)).toMatchObject({ state: "running", phase: "waiting_input", end: null });
  const [failed] = await box.store.events({ after: 0, taskId, types: ["run.failed"] });
  expect(failed?.data).toMatchObject({ code: "model_not_found" });
  await box.restart();
  await box.api.sendMessage(taskId, { text: "and now?" });
  await box.clock.advance(5_000);
  expect(await box.conversation(taskId)).toEqual([
    "user go",
    "assistant ok",
    "user still there?",
    "user and now?",
    "assistant ok",
  ]);
});

test("a drain ends with its grace, though the store is away", async () => {
  let isAway = false;
  const box = new RestartingBox({
    reply: () => [wait(1_000), say("gold")],
    wrapStore: (store) =>
      wrappedStore(store, {
        before: (name) => {
          if (isAway && name === "commit") throw new StoreError("busy", "The store is away.");
        },
      }),
  });
  await box.api.delegate({ goal: "dig" });
  await box.clock.advance(100);
  isAway = true;
  let isDrained = false;
  const draining = box.rig.runtime.drain(5_000).then(() => (isDrained = true));
  await box.clock.advance(6_000);
  expect(isDrained).toBe(true);
  await draining;
});
