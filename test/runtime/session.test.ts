// A conversation: never blocked by its children, outlived by nothing that it did not detach.

import { describe, expect, test } from "vitest";
import { call, fail, hang, say, wait } from "../../providers/script.ts";
import { textOf } from "../../src/core/message.ts";
import { rig } from "./rig.ts";

describe("a session", () => {
  test("a person waits at most the patience while a child generates on the only slot", async () => {
    const { api, clock } = rig({
      reply: (request) => (request.model === "parent" ? [say("hello")] : [wait(60_000), say("slow")]),
    });
    const session = await api.createSession();
    const child = await api.delegate({ goal: "slow", parentId: session.taskId });
    await clock.advance(100);
    await api.sendMessage(session.taskId, { text: "hi" });
    await clock.advance(4_000);
    expect((await api.check(session.taskId)).phase).toBe("waiting_slot");
    await clock.advance(1_100);
    const { items } = await api.transcript(session.taskId);
    expect(textOf(items.at(-1)?.message as never)).toBe("hello");
    await clock.advance(70_000);
    expect((await api.collect(child.taskId, { timeoutMs: 0 })).result).toBe("slow");
  });

  test("a failed answer is told and the conversation goes on", async () => {
    let turn = 0;
    const { api, clock } = rig({
      reply: () => (++turn === 1 ? [fail("refused", "filtered", "No.")] : [say("better")]),
    });
    const session = await api.createSession();
    await api.sendMessage(session.taskId, { text: "bad" });
    await clock.advance(50);
    expect(await api.check(session.taskId)).toMatchObject({ state: "running", phase: "waiting_input" });
    await api.sendMessage(session.taskId, { text: "good" });
    await clock.advance(50);
    const { items } = await api.transcript(session.taskId);
    expect(textOf(items.at(-1)?.message as never)).toBe("better");
  });

  test("/stop cancels the children and keeps the session, without a turn of its own", async () => {
    let generations = 0;
    const { api, clock } = rig({
      reply: (request) => {
        if (request.model === "child") return [hang()];
        generations += 1;
        return request.messages.at(-1)?.role === "tool"
          ? [say("started")]
          : [call("delegate_task_async", { goal: "x" })];
      },
      settings: {
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 4, maxChildren: 4, local: true }],
      },
    });
    const session = await api.createSession();
    await api.sendMessage(session.taskId, { text: "go" });
    await clock.advance(50);
    const before = generations;
    const receipt = await api.stopSession(session.taskId);
    expect(receipt.cancelled).toHaveLength(1);
    await clock.advance(100);
    expect(generations).toBe(before);
    expect(await api.check(session.taskId)).toMatchObject({ state: "running", phase: "waiting_input" });
  });

  test("closing cancels the children unless they were detached, and the session is done", async () => {
    const { api, clock, runtime } = rig({
      reply: () => [hang()],
      settings: {
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 4, maxChildren: 4, local: true }],
      },
    });
    const session = await api.createSession();
    const child = await api.delegate({ goal: "a", parentId: session.taskId });
    const free = await api.delegate({ goal: "b", parentId: session.taskId, detached: true });
    await clock.advance(10);
    expect((await api.closeSession(session.taskId)).cancelled).toEqual([child.taskId]);
    await clock.advance(10);
    expect((await api.check(session.taskId)).state).toBe("done");
    expect((await api.check(child.taskId)).state).toBe("cancelled");
    expect((await api.check(free.taskId)).state).toBe("running");
    expect(runtime.counts().living).toBe(1);
  });
});
