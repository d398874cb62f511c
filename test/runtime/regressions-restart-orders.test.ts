// What one actor had told another when the server died: orders to children of a run that is left, mail on its way, and
// a tool that a person told to stop. Each was once lost, told twice, or forgotten.

import { describe, expect, test } from "vitest";
import { call, fail, hang, say, wait, type Step } from "../../providers/script.ts";
import { delay } from "../../src/base/clock.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import type { Tool } from "../../src/core/tool.ts";
import type { CommitWrite, Store } from "../../src/store/store.ts";
import { DELEGATION, goalIn } from "./conversation.ts";
import { RestartingBox } from "./restarting.ts";
import { agentNamed, type RigOptions } from "./rig.ts";
import { wrappedStore } from "./wrapped-store.ts";

const DEEP = { ...DELEGATION, maxSpawnDepth: 2 };

/** Calls `then` once, when such a commit is in the store and its writer has not heard of it. */
function after(isIt: (write: CommitWrite) => boolean, then: () => void): (store: Store) => Store {
  let isOver = false;
  return (store) =>
    wrappedStore(store, {
      after: (name, [, , write]) => {
        if (isOver || name !== "commit" || !isIt(write as CommitWrite)) return;
        isOver = true;
        then();
      },
    });
}

const says = ({ events = [] }: CommitWrite, eventType: string): boolean =>
  events.some(({ type }) => type === eventType);

async function named(box: RestartingBox, goal: string): Promise<TaskRecord> {
  const { items } = await box.store.list({});
  return items.find(({ spec }) => spec.goal === goal) as TaskRecord;
}

describe("a server that dies with the commit of a run that is left", () => {
  test("finds the order to the children of a run that failed, and carries it out", async () => {
    let isDead = false;
    let step = 0;
    const box: RestartingBox = new RestartingBox({
      settings: { delegation: DEEP, limits: { ...DEFAULT_TASK_LIMITS, retryOnFailure: true, retryLimit: 2 } },
      wrapStore: after(
        (write) => says(write, "run.failed"),
        () => {
          isDead = true;
          box.die();
        },
      ),
      reply: (request) => {
        if (goalIn(request) === "child") return [hang()];
        step += 1;
        if (step === 1) return [call("delegate_task_async", { goal: "child" })];
        return step <= 6 ? [fail("network")] : [say("led")];
      },
    });
    const { taskId } = await box.api.delegate({ goal: "lead", role: "orchestrator" });
    for (let times = 0; times < 300 && !isDead; times++) await box.clock.advance(200);
    expect((await box.record(taskId)).phase).toBe("backing_off");
    expect((await named(box, "child")).state).toBe("running");
    await box.restart();
    await box.clock.advance(60_000);
    expect((await named(box, "child")).state).toBe("cancelled");
    expect(await box.record(taskId)).toMatchObject({ state: "done", run: 2, end: { result: "led" } });
  });

  test("G2 tells a run that begins again nothing of the one before, and ends its children", async () => {
    let armed = false;
    const prompts: number[] = [];
    const box: RestartingBox = new RestartingBox({
      settings: { delegation: DEEP },
      wrapStore: after(
        (write) => says(write, "task.resumed") && write.phase === "queued",
        () => box.die(),
      ),
      reply: (request) => {
        if (goalIn(request) === "slow child") return [hang()];
        if (goalIn(request) === "quick child") return [wait(100), say("quick")];
        prompts.push(request.messages.length);
        const goals = prompts.length === 1 ? ["slow child", "quick child"] : [];
        if (goals.length > 0) return goals.map((goal) => call("delegate_task_async", { goal }));
        return armed ? [wait(500), say("led")] : [hang()];
      },
    });
    const { taskId } = await box.api.delegate({ goal: "lead", role: "orchestrator", onRestart: "restart" });
    await box.clock.advance(1_000);
    const before = await box.conversation(taskId);
    expect((await named(box, "quick child")).state).toBe("done");
    armed = true;
    await box.restart();
    expect((await box.record(taskId)).phase).toBe("queued");
    await box.restart();
    await box.clock.advance(30_000);
    expect((await box.conversation(taskId)).slice(before.length)).toEqual(["user lead", "assistant led"]);
    expect((await box.record(taskId)).state).toBe("done");
    expect((await named(box, "slow child")).state).toBe("cancelled");
  });
});

describe("mail that was on its way when the server stopped is on record once", () => {
  test("for a steer and for what a person said, over two deaths", async () => {
    const box = new RestartingBox({ reply: () => [wait(2_000), say("gold")] });
    const { taskId } = await box.api.delegate({ goal: "dig" });
    const session = await box.api.createSession();
    await box.clock.advance(100);
    await box.api.sendMessage(session.taskId, { text: "hello" });
    await box.clock.advance(100);
    await box.api.steer(taskId, { message: "deeper" });
    await box.api.sendMessage(session.taskId, { text: "and?" });
    await box.clock.advance(100);
    await box.restart();
    await box.clock.advance(300);
    await box.restart();
    await box.clock.advance(10_000);
    const count = async (id: string, type: string): Promise<number> =>
      (await box.events(id)).filter((each) => each === type).length;
    expect(await count(taskId, "steer.queued")).toBe(1);
    expect(await count(taskId, "steer.delivered")).toBe(1);
    expect(await count(session.taskId, "message.received")).toBe(2);
  });

  test("for what a person said while the server drained", async () => {
    const box = new RestartingBox({ reply: () => [say("gold")] });
    const { taskId } = await box.api.createSession();
    await box.clock.advance(100);
    const draining = box.rig.runtime.drain(3_000);
    await box.api.sendMessage(taskId, { text: "hello" });
    await box.clock.advance(3_000);
    await draining;
    await box.rig.runtime.close();
    await box.restart();
    await box.clock.advance(5_000);
    expect(await box.conversation(taskId)).toEqual(["user hello", "assistant gold"]);
    expect((await box.events(taskId)).filter((type) => type === "message.received")).toHaveLength(1);
  });
});

test("a session does not end before a tool that it was told to stop has let go, though the next call has", async () => {
  let begun = 0;
  let ended = 0;
  const deaf: Tool = {
    definition: { name: "deaf", description: "Hears nothing.", parameters: { type: "object" } },
    repeatable: true,
    run: async (_input, { clock }) => {
      begun += 1;
      await delay(clock, begun === 1 ? 8_000 : 1_000);
      ended += 1;
      return { type: "result", value: "x" };
    },
  };
  const box = new RestartingBox({
    settings: { sessionAgent: agentNamed("session", { toolsets: ["deaf"], role: "orchestrator" }) },
    toolsets: [{ name: "deaf", description: "Deaf.", tools: () => [deaf] }],
    reply: ({ messages }) => (messages.at(-1)?.origin === "person" ? [call("deaf", {})] : [say("ok")]),
  });
  const { taskId } = await box.api.createSession();
  await box.api.sendMessage(taskId, { text: "go" });
  await box.clock.advance(200);
  await box.api.stopSession(taskId);
  await box.api.sendMessage(taskId, { text: "again" });
  await box.clock.advance(2_000);
  const closing = box.api.closeSession(taskId);
  await box.clock.advance(500);
  expect([begun, ended, (await box.record(taskId)).state]).toEqual([2, 1, "running"]);
  await box.clock.advance(20_000);
  await closing;
  expect([ended, (await box.record(taskId)).state]).toEqual([2, "done"]);
});

/** Holds up such calls for a second. */
function slowly(
  isIt: (name: string, args: readonly unknown[]) => boolean,
): NonNullable<RigOptions["wrapStore"]> {
  return (store, clock) =>
    wrappedStore(store, {
      before: (name, args) => (isIt(name, args) ? delay(clock, 1_000) : undefined),
    });
}

describe("an order that was acknowledged", () => {
  test("Z4 a session that is stopped before it is taken up again stays so over the next crash", async () => {
    let generations = 0;
    const reply = (): readonly Step[] => {
      generations += 1;
      return [hang()];
    };
    const box = new RestartingBox({ reply });
    const { taskId } = await box.api.createSession();
    await box.api.sendMessage(taskId, { text: "dig" });
    await box.clock.advance(100);
    await box.crash();
    await box.start({ wrapStore: slowly((name) => name === "transcript") });
    await box.api.stopSession(taskId);
    await box.restart();
    await box.clock.advance(5_000);
    expect([await box.record(taskId), generations]).toMatchObject([{ phase: "waiting_input" }, 1]);
    await box.api.sendMessage(taskId, { text: "dig again" });
    await box.clock.advance(100);
    expect([await box.record(taskId), generations]).toMatchObject([{ phase: "generating" }, 2]);
  });

  test("G3 holds for the children of a task whose mail is not opened yet", async () => {
    const goals: string[] = [];
    const box: RestartingBox = new RestartingBox({
      settings: { delegation: DEEP },
      wrapStore: (store) =>
        wrappedStore(store, { after: (name) => (name === "send" ? box.die() : undefined) }),
      reply: (request) => {
        goals.push(goalIn(request));
        if (goalIn(request) === "child") return [hang()];
        return goals.length === 1 ? [call("delegate_task_async", { goal: "child" })] : [hang()];
      },
    });
    const { taskId } = await box.api.delegate({ goal: "lead", role: "orchestrator" });
    await box.clock.advance(1_000);
    const before = goals.length;
    void box.api.cancel(taskId);
    await box.clock.advance(1);
    const lead = (name: string, [first]: readonly unknown[]): boolean =>
      name === "transcript" && first === taskId;
    await box.restart({ wrapStore: slowly(lead) });
    await box.clock.advance(10_000);
    expect([(await named(box, "child")).state, (await box.record(taskId)).state]).toEqual([
      "cancelled",
      "cancelled",
    ]);
    expect(goals.slice(before)).toEqual([]);
  });
});
