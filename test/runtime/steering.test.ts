// Messages to a task that lives, with their receipts, on virtual time.

import { describe, expect, test } from "vitest";
import { hang, say, wait } from "../../providers/script.ts";
import { textOf } from "../../src/core/message.ts";
import { rig } from "./rig.ts";

describe("steering", () => {
  test("a steer waits for the next turn boundary and is delivered with its turn", async () => {
    const { api, clock } = rig({
      reply: (request) =>
        request.messages.some((message) => message.origin === "steer")
          ? [say("steered")]
          : [wait(100), say("plain")],
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(10);
    const receipt = await api.steer(taskId, { message: "deeper" });
    expect(receipt).toMatchObject({ state: "queued", interrupt: false });
    await clock.advance(500);
    expect(await api.collect(taskId, { timeoutMs: 0 })).toMatchObject({ state: "done", result: "steered" });
    expect((await api.check(taskId)).steers).toEqual([
      expect.objectContaining({ steerId: receipt.steerId, state: "delivered", turn: 2 }),
    ]);
  });

  test("an interrupting steer stops the generation, keeps the lease and what was written, and goes on", async () => {
    const { api, clock, runtime } = rig({
      reply: (request) =>
        request.messages.some((message) => message.origin === "steer")
          ? [say("turned")]
          : [say("half a tho"), hang()],
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(10);
    await api.steer(taskId, { message: "turn", interrupt: true });
    expect(runtime.counts().leases).toBe(1);
    await clock.advance(10);
    expect((await api.collect(taskId, { timeoutMs: 0 })).result).toBe("turned");
    const { items } = await api.transcript(taskId);
    expect(items.map((row) => textOf(row.message))).toEqual(["dig", "half a tho", "[steer] turn", "turned"]);
  });

  test("a task that waits in the queue takes its steer with its first turn", async () => {
    const { api, clock } = rig({
      settings: {
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 1, maxChildren: 1, local: true }],
      },
      reply: (request) =>
        textOf(request.messages[1] as never).startsWith("first") ? [wait(100), say("1")] : [say("2")],
    });
    await api.delegate({ goal: "first" });
    const { taskId, state } = await api.delegate({ goal: "second" });
    expect(state).toBe("spawned");
    await api.steer(taskId, { message: "hurry" });
    await clock.advance(500);
    expect((await api.check(taskId)).steers[0]).toMatchObject({ state: "delivered", turn: 1 });
  });

  test("a task that has ended refuses a steer and says so", async () => {
    const { api, clock } = rig({ reply: () => [say("x")] });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(10);
    await expect(api.steer(taskId, { message: "late" })).rejects.toMatchObject({
      code: "task_ended",
      details: { state: "done" },
    });
  });

  test("a steer that no turn took is undelivered, with the reason", async () => {
    const { api, clock } = rig({ reply: () => [hang()] });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(10);
    await api.steer(taskId, { message: "wait" });
    await api.cancel(taskId);
    await clock.advance(10);
    expect((await api.check(taskId)).steers[0]).toMatchObject({
      state: "undelivered",
      reason: "task_cancelled",
    });
  });
});
