// Ending tasks before their time: subtrees, deadlines, force, on virtual time.

import { describe, expect, test } from "vitest";
import { call, hang, say } from "../../providers/script.ts";
import { textOf } from "../../src/core/message.ts";
import type { Tool } from "../../src/core/tool.ts";
import type { CommitWrite } from "../../src/store/store.ts";
import { ROOMY } from "./conversation.ts";
import { agentNamed, NOTHING_HELD, rig } from "./rig.ts";
import { wrappedStore } from "./wrapped-store.ts";

describe("cancelling", () => {
  test("ends the task, frees everything, and is idempotent", async () => {
    const { api, clock, runtime } = rig({ reply: () => [hang()] });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(10);
    expect((await api.cancel(taskId)).cancelled).toEqual([taskId]);
    await clock.advance(1);
    expect(runtime.counts()).toEqual(NOTHING_HELD);
    expect(await api.cancel(taskId)).toEqual({ taskId, cancelled: [], state: "cancelled" });
  });

  test("reaches the whole subtree, and a child that starts late starts cancelled", async () => {
    const { api, clock, runtime } = rig({
      settings: {
        delegation: {
          maxConcurrentChildren: 3,
          maxSpawnDepth: 3,
          onInterrupt: "continue",
          defaultToolsets: [],
        },
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 20, maxChildren: 20, local: true }],
        childAgent: agentNamed("child", { role: "leaf" }),
      },
      reply: (request) => {
        const depth = Number(textOf(request.messages[1] as never));
        if (request.messages.at(-1)?.role === "tool" || depth >= 2) return [hang()];
        const role = depth < 1 ? "orchestrator" : "leaf";
        return [1, 2].map(() => call("delegate_task_async", { goal: String(depth + 1), role }));
      },
    });
    const { taskId } = await api.delegate({ goal: "0", role: "orchestrator" });
    await clock.advance(50);
    expect(runtime.counts().living).toBe(7);
    const receipt = await api.cancel(taskId, { reason: "enough" });
    expect(receipt.cancelled).toHaveLength(7);
    await clock.advance(1);
    expect(runtime.counts()).toEqual(NOTHING_HELD);
    const { items } = await api.list({ rootId: taskId });
    expect(items.map((view) => view.state)).toEqual(Array.from({ length: 7 }, () => "cancelled"));
  });

  test("a tool that does not let go is ended by force after the deadline, and done is not released", async () => {
    let letGo = (): void => {};
    const stubborn = {
      definition: {
        name: "stubborn",
        description: "Never stops.",
        parameters: { type: "object", properties: {} },
      },
      repeatable: false,
      run: () => new Promise<never>((_, reject) => (letGo = () => reject(new Error("late")))),
    };
    const { api, clock } = rig({
      settings: { cancelDeadlineMs: 2_000 },
      toolsets: [{ name: "bad", description: "", tools: () => [stubborn] }],
      reply: () => [call("stubborn", {})],
    });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["bad"] });
    await clock.advance(10);
    await api.cancel(taskId);
    await clock.advance(1_000);
    expect((await api.check(taskId)).state).toBe("running");
    await clock.advance(1_500);
    expect(await api.check(taskId)).toMatchObject({ state: "cancelled", releasedAt: null });
    letGo();
    await clock.advance(1);
    expect((await api.check(taskId)).releasedAt).not.toBeNull();
  });

  test("force does not wait for the deadline", async () => {
    const stubborn = {
      definition: {
        name: "stubborn",
        description: "Never stops.",
        parameters: { type: "object", properties: {} },
      },
      repeatable: false,
      run: () => new Promise<never>(() => {}),
    };
    const { api, clock } = rig({
      toolsets: [{ name: "bad", description: "", tools: () => [stubborn] }],
      reply: () => [call("stubborn", {})],
    });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["bad"] });
    await clock.advance(10);
    await api.cancel(taskId, { force: true });
    await clock.advance(1);
    expect((await api.check(taskId)).state).toBe("cancelled");
  });

  test("what was answered before the cancel is kept", async () => {
    const { api, clock } = rig({
      settings: {
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 4, maxChildren: 4, local: true }],
      },
      reply: (request) => {
        if (request.messages.at(-1)?.role === "tool") return [say("my answer so far")];
        return textOf(request.messages[1] as never) === "sub"
          ? [hang()]
          : [call("delegate_task_async", { goal: "sub" })];
      },
    });
    const { taskId } = await api.delegate({ goal: "top", role: "orchestrator" });
    await clock.advance(20);
    expect((await api.check(taskId)).phase).toBe("waiting_children");
    await api.cancel(taskId);
    await clock.advance(5);
    expect(await api.collect(taskId, { timeoutMs: 0 })).toMatchObject({
      state: "cancelled",
      result: "my answer so far",
    });
  });

  test("force calls the children off before the end is in the store, so that none begins a turn beside it", async () => {
    const order: string[] = [];
    const held: Tool = {
      definition: { name: "hold", description: "Holds.", parameters: { type: "object" } },
      repeatable: false,
      run: (_input, { signal }) =>
        new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error(String(order.push("child called off")))));
        }),
    };
    const { api, clock, store } = rig({
      settings: { backends: ROOMY },
      toolsets: [{ name: "hands", description: "", tools: () => [held] }],
      reply: (request) => {
        if (request.messages.at(-1)?.role === "tool") return [say("so far")];
        const isChild = textOf(request.messages[1] as never) === "sub";
        return [
          isChild ? call("hold", {}) : call("delegate_task_async", { goal: "sub", toolsets: ["hands"] }),
        ];
      },
      wrapStore: (inner) =>
        wrappedStore(inner, {
          after: (name, [, , write]) => {
            const isEnd = name === "commit" && (write as CommitWrite).terminal !== undefined;
            if (isEnd) order.push("an end is stored");
          },
        }),
    });
    const { taskId } = await api.delegate({ goal: "top", role: "orchestrator", toolsets: ["hands"] });
    await clock.advance(20);
    // As after a call whose answer the store lost: nobody but the mail knows of it.
    await store.send(taskId, { kind: "cancel", id: "c", from: "ann", reason: "enough", force: true });
    await api.steer(taskId, { message: "go on" });
    await clock.advance(1);
    expect(order).toEqual(["child called off", "an end is stored", "an end is stored"]);
    expect((await api.check(taskId)).state).toBe("cancelled");
  });
});
