// A task is taken up again after the server died, phase by phase.

import { describe, expect, test } from "vitest";
import { call, fail, hang, say, wait } from "../../providers/script.ts";
import type { Tool, Toolset } from "../../src/core/tool.ts";
import type { RestartPolicy } from "../../src/core/limits.ts";
import { MAX_RESUMES } from "../../src/runtime/resuming.ts";
import { agentNamed, NOTHING_HELD } from "./rig.ts";
import { DELEGATION, goalIn } from "./conversation.ts";
import { RestartingBox } from "./restarting.ts";

const SLOW = [wait(500), say("gold")];

/** A tool that is at it for a second and counts how often it has begun. */
function hammer(repeatable: boolean): { readonly toolset: Toolset; readonly blows: string[] } {
  const blows: string[] = [];
  const tool: Tool = {
    definition: { name: "hit", description: "Hits.", parameters: { type: "object" } },
    repeatable,
    run: async (_input, { callId, clock }) => {
      blows.push(callId);
      await new Promise<void>((resolve) => clock.after(1_000, resolve));
      return { type: "result", value: "hit" };
    },
  };
  return { blows, toolset: { name: "hammer", description: "A hammer.", tools: () => [tool] } };
}

describe("after a restart", () => {
  test("a generation that was under way is made again, with the goal told once", async () => {
    const box = new RestartingBox({ reply: () => SLOW });
    const { taskId } = await box.api.delegate({ goal: "dig" });
    await box.clock.advance(200);
    expect(await box.restart()).toEqual({ resumed: 1, queued: 0, failed: 0 });
    await box.clock.advance(5_000);
    expect(await box.record(taskId)).toMatchObject({
      state: "done",
      end: { result: "gold" },
      epoch: 2,
      run: 1,
    });
    expect(await box.conversation(taskId)).toEqual(["user dig", "assistant gold"]);
    expect(await box.events(taskId)).toContain("task.resumed");
    expect(box.rig.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("one that waited to be admitted waits again, and starts once", async () => {
    const backends = [{ name: "gpu", provider: "gpu", gpu: "g", slots: 1, maxChildren: 1, local: true }];
    const box = new RestartingBox({ reply: () => SLOW, settings: { backends } });
    const first = await box.api.delegate({ goal: "first" });
    const second = await box.api.delegate({ goal: "second" });
    expect(await box.restart()).toEqual({ resumed: 1, queued: 1, failed: 0 });
    expect((await box.api.check(second.taskId)).phase).toBe("queued");
    await box.clock.advance(5_000);
    expect([(await box.record(first.taskId)).state, (await box.record(second.taskId)).state]).toEqual([
      "done",
      "done",
    ]);
    expect((await box.events(second.taskId)).filter((type) => type === "task.started")).toHaveLength(1);
  });

  test("waits on for a child that goes on too, and hears of its end once", async () => {
    const box = new RestartingBox({
      settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } },
      reply: (request) => {
        if (goalIn(request) !== "lead") return SLOW;
        const told = request.messages.some(({ role }) => role === "tool");
        return told ? [say("led")] : [call("delegate_task", { goal: "child" })];
      },
    });
    const { taskId } = await box.api.delegate({ goal: "lead", role: "orchestrator" });
    await box.clock.advance(100);
    expect((await box.api.check(taskId)).phase).toBe("waiting_children");
    expect(await box.restart()).toMatchObject({ resumed: 2 });
    await box.clock.advance(5_000);
    expect((await box.record(taskId)).end?.result).toBe("led");
    const lines = await box.conversation(taskId);
    expect(lines.filter((line) => line.includes("gold"))).toHaveLength(1);
  });

  test("finds the completion that came just before, when its parent never heard of it", async () => {
    const box = new RestartingBox({
      settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } },
      reply: (request) => {
        if (goalIn(request) === "child") return [wait(300), say("gold")];
        const stage = request.messages.filter(({ role }) => role === "assistant").length;
        return stage === 0 ? [call("delegate_task_async", { goal: "child" })] : [wait(1_000), say("led")];
      },
    });
    const { taskId } = await box.api.delegate({ goal: "lead", role: "orchestrator" });
    await box.clock.advance(400);
    await box.restart();
    await box.clock.advance(10_000);
    const lines = await box.conversation(taskId);
    expect(lines.filter((line) => line.startsWith("user") && line.includes("gold"))).toHaveLength(1);
    expect((await box.record(taskId)).state).toBe("done");
  });

  test("a call that may be repeated is made again; one that may not comes back as unknown", async () => {
    for (const repeatable of [true, false]) {
      const { toolset, blows } = hammer(repeatable);
      const box = new RestartingBox({
        toolsets: [toolset],
        reply: ({ messages }) => (messages.at(-1)?.role === "tool" ? [say("done")] : [call("hit", {})]),
      });
      const { taskId } = await box.api.delegate({ goal: "dig", toolsets: ["hammer"] });
      await box.clock.advance(500);
      expect((await box.api.check(taskId)).phase).toBe("calling_tools");
      await box.restart();
      await box.clock.advance(5_000);
      expect((await box.record(taskId)).state).toBe("done");
      expect(blows).toHaveLength(repeatable ? 2 : 1);
      expect((await box.conversation(taskId))[2]).toMatch(repeatable ? /^tool hit$/ : /outcome|unknown/);
    }
  });

  test("a retry is made when it was due, not at once and not twice as late", async () => {
    let tries = 0;
    const box = new RestartingBox({ reply: () => (++tries === 1 ? [fail("overloaded")] : [say("gold")]) });
    const { taskId } = await box.api.delegate({ goal: "dig" });
    await box.clock.advance(100);
    expect((await box.api.check(taskId)).phase).toBe("backing_off");
    await box.crash(300);
    await box.start();
    await box.clock.advance(300);
    expect(tries).toBe(1);
    await box.clock.advance(600);
    expect((await box.record(taskId)).end?.result).toBe("gold");
  });

  test("a steer on its way is delivered once, and what a person said to a session is answered", async () => {
    const box = new RestartingBox({ reply: () => SLOW });
    const { taskId } = await box.api.delegate({ goal: "dig" });
    const session = await box.api.createSession();
    await box.api.sendMessage(session.taskId, { text: "hello" });
    await box.clock.advance(100);
    const { steerId } = await box.api.steer(taskId, { message: "deeper" });
    await box.restart();
    await box.clock.advance(10_000);
    const steers = (await box.api.check(taskId)).steers;
    expect(steers).toMatchObject([{ steerId, state: "delivered" }]);
    expect((await box.conversation(taskId)).filter((line) => line.includes("deeper"))).toHaveLength(1);
    expect(await box.conversation(session.taskId)).toEqual(["user hello", "assistant gold"]);
  });

  test("a cancel that was acknowledged is carried out on the whole subtree", async () => {
    const box = new RestartingBox({
      settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } },
      reply: (request) =>
        goalIn(request) === "lead" ? [call("delegate_task", { goal: "child" })] : [hang()],
    });
    const { taskId } = await box.api.delegate({ goal: "lead", role: "orchestrator" });
    await box.clock.advance(100);
    const [child] = (await box.api.check(taskId)).children;
    await box.store.send(taskId, {
      kind: "cancel",
      id: "m",
      from: "person:x",
      reason: "enough",
      force: false,
    });
    await box.restart();
    await box.clock.advance(20_000);
    expect((await box.record(taskId)).state).toBe("cancelled");
    expect((await box.record(child as string)).state).toBe("cancelled");
    expect(box.rig.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("a child whose parent has ended starts no more", async () => {
    const box = new RestartingBox({ reply: () => [hang()] });
    const parent = await box.api.createSession();
    const child = await box.api.delegate({ goal: "dig", parentId: parent.taskId });
    await box.clock.advance(100);
    await box.crash();
    const record = await box.record(parent.taskId);
    const end = { state: "done", result: null, truncated: false, failure: null } as const;
    await box.store.commit({ taskId: parent.taskId, epoch: record.epoch }, record.seq, { terminal: end });
    await box.start();
    await box.clock.advance(5_000);
    expect((await box.record(child.taskId)).state).toBe("cancelled");
  });

  test.each<[RestartPolicy, object]>([
    ["resume", { state: "done", run: 1 }],
    ["restart", { state: "done", run: 2 }],
    ["fail", { state: "failed", end: { failure: { code: "interrupted" } } }],
  ])("on_restart: %s is what becomes of it", async (onRestart, outcome) => {
    const box = new RestartingBox({ reply: () => SLOW });
    const { taskId } = await box.api.delegate({ goal: "dig", onRestart });
    await box.clock.advance(200);
    await box.restart();
    await box.clock.advance(5_000);
    expect(await box.record(taskId)).toMatchObject(outcome);
    expect(box.rig.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("R2 a task in whose turn the server dies again and again is found out", async () => {
    const box = new RestartingBox({ reply: () => SLOW });
    const { taskId } = await box.api.delegate({ goal: "dig" });
    for (let times = 0; times <= MAX_RESUMES; times++) {
      await box.clock.advance(200);
      await box.restart();
    }
    await box.clock.advance(5_000);
    expect((await box.record(taskId)).end?.failure?.code).toBe("crash_loop");
  });

  test("R2 a server that is stopped by itself is held against no task", async () => {
    const box = new RestartingBox({ reply: () => SLOW });
    const { taskId } = await box.api.delegate({ goal: "dig" });
    for (let times = 0; times <= MAX_RESUMES + 1; times++) {
      await box.clock.advance(200);
      const drained = box.rig.runtime.drain(50);
      await box.clock.advance(100);
      expect(await drained).toEqual({ parked: 1 });
      await box.rig.runtime.close();
      await box.restart();
    }
    await box.clock.advance(5_000);
    expect((await box.record(taskId)).state).toBe("done");
  });

  test("a snapshot of another machine, or none that can be read, is said; the rest goes on", async () => {
    const box = new RestartingBox({ reply: () => SLOW });
    const ids = [];
    for (const goal of ["a", "b", "c"]) ids.push((await box.api.delegate({ goal })).taskId);
    await box.clock.advance(100);
    await box.crash();
    for (const [at, snapshot] of [{ machine: 99, activeMs: 0, actor: {} }, "nonsense"].entries()) {
      const record = await box.record(ids[at] as string);
      await box.store.commit({ taskId: record.spec.id, epoch: record.epoch }, record.seq, { snapshot });
    }
    expect(await box.start()).toEqual({ resumed: 1, queued: 0, failed: 2 });
    await box.clock.advance(5_000);
    const ends = await Promise.all(ids.map(async (id) => (await box.record(id)).end));
    expect(ends.map((end) => end?.failure?.code ?? end?.result)).toEqual([
      "machine_changed",
      "snapshot_unreadable",
      "gold",
    ]);
  });

  test("a tree has used what it had used", async () => {
    const box = new RestartingBox({ reply: () => [wait(500), say("gold ".repeat(100))] });
    const budget = { tokens: 6_000 };
    const { taskId } = await box.api.delegate({ goal: "dig", budget, maxTurns: 9 });
    await box.clock.advance(100);
    const record = await box.record(taskId);
    await box.store.commit({ taskId, epoch: record.epoch }, record.seq, {
      usage: { ...record.usage, outputTokens: 5_990 },
    });
    await box.restart();
    await box.clock.advance(5_000);
    expect((await box.record(taskId)).end?.failure?.code).toBe("budget");
  });

  test("the wait of a call ends when it was to end", async () => {
    const box = new RestartingBox({
      settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } },
      reply: (request) => {
        if (goalIn(request) !== "lead") return [hang()];
        const results = request.messages.filter(({ role }) => role === "tool").length;
        if (results === 0) return [call("delegate_task_async", { goal: "child" })];
        const id = /task_[0-9a-f]{32}/.exec(JSON.stringify(request.messages))?.[0];
        return results === 1 ? [call("collect_task", { task_id: id, timeout: 10 })] : [say("gave up")];
      },
    });
    const { taskId } = await box.api.delegate({ goal: "lead", role: "orchestrator" });
    await box.clock.advance(2_000);
    await box.crash(4_000);
    await box.start();
    await box.clock.advance(3_500);
    expect((await box.api.check(taskId)).phase).toBe("waiting_children");
    await box.clock.advance(700);
    expect((await box.conversation(taskId)).at(-1)).toBe("assistant gave up");
  });

  test("an agent that is not there any more is said by the task that needs it", async () => {
    const box = new RestartingBox({ reply: () => SLOW });
    const { taskId } = await box.api.delegate({ goal: "dig" });
    await box.clock.advance(100);
    const gone = { name: "cpu", provider: "cpu", gpu: null, slots: 1, maxChildren: 1, local: true };
    await box.restart({ settings: { backends: [gone], childAgent: agentNamed("child") } });
    await box.clock.advance(1_000);
    expect((await box.record(taskId)).end?.failure?.code).toBe("unknown_backend");
  });
});
