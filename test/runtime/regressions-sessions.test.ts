// Conversations that once went silent or were refused, each told apart by what the person would have noticed.

import { describe, expect, test } from "vitest";
import { call, fail, failWith, hang, say, wait, type Step } from "../../providers/script.ts";
import { delay } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { textOf } from "../../src/core/message.ts";
import type { Toolset } from "../../src/core/tool.ts";
import { converse, resultsIn, ROOMY, type Told } from "./conversation.ts";
import { agentNamed, NOTHING_HELD, rig, type Rig } from "./rig.ts";
import { wrappedStore } from "./wrapped-store.ts";

const SLOW_DOWN: Step = failWith(
  new ProviderError({ kind: "rate_limited", code: "rate_limited" }, "Too many requests.", {
    retryAfterMs: 86_400_000,
  }),
);

/** Why runs failed, in order, as whoever watches the task hears of it. */
async function reasons({ store }: Rig, taskId: string): Promise<{ code: string; message: string }[]> {
  const events = await store.events({ after: 0, taskId });
  return events.flatMap(({ type, data }) =>
    type === "run.failed" ? [data as { code: string; message: string }] : [],
  );
}

/** A session that was sent one message, and the time that its failures take. */
async function asked(made: Rig): Promise<string> {
  const { taskId } = await made.api.createSession();
  await made.api.sendMessage(taskId, { text: "hello" });
  await made.clock.advance(120_000);
  return taskId;
}

describe("a session that gives no answer", () => {
  test("says so when its generation failed five times, and answers the next message", async () => {
    let tries = 0;
    const made = rig({
      reply: () => (++tries <= 5 ? [fail("network", "server_error", "Gone.")] : [say("hi")]),
    });
    const id = await asked(made);
    expect(await reasons(made, id)).toEqual([{ code: "server_error", message: "Gone.", retryInMs: null }]);
    expect(await made.api.check(id)).toMatchObject({ state: "running", phase: "waiting_input" });
    await made.api.sendMessage(id, { text: "again" });
    await made.clock.advance(100);
    const { items } = await made.api.transcript(id);
    expect(textOf((items.at(-1) as (typeof items)[0]).message)).toBe("hi");
  });

  test("says so when its agent makes the same call over and over", async () => {
    const made = rig({ reply: () => [call("no_such_tool", { a: 1 })] });
    const id = await asked(made);
    expect((await reasons(made, id)).map(({ code }) => code)).toEqual(["tool_loop"]);
    expect(await made.api.check(id)).toMatchObject({ state: "running", phase: "waiting_input" });
  });

  test("says so when the server asks for a pause of a day, instead of pausing for a day", async () => {
    let first = true;
    const made = rig({
      reply: () => {
        if (!first) return [say("hi")];
        first = false;
        return [SLOW_DOWN];
      },
    });
    const id = await asked(made);
    const [{ code, message }] = (await reasons(made, id)) as [{ code: string; message: string }];
    expect([code, message]).toEqual(["rate_limited", expect.stringContaining("86400 s")]);
    await made.api.sendMessage(id, { text: "now?" });
    await made.clock.advance(100);
    expect((await made.api.transcript(id)).items.at(-1)?.message.role).toBe("assistant");
  });
});

test("a task whose server asks for a pause of a day fails with that, and runs no second time", async () => {
  const made = rig({ reply: () => [SLOW_DOWN] });
  const { taskId } = await made.api.delegate({ goal: "dig", retryLimit: 3 });
  await made.clock.advance(1_000);
  const { failure } = await made.api.collect(taskId, { timeoutMs: 0 });
  expect(failure).toMatchObject({
    code: "rate_limited",
    message: expect.stringContaining("86400 s") as string,
  });
  expect([made.provider.begun, made.runtime.counts()]).toEqual([1, NOTHING_HELD]);
});

test("asking after a child again and again, each time answered, is no tool_loop", async () => {
  const it = await converse(() => [hang()]);
  const id = await it.start("dig");
  for (let times = 0; times < 5; times++) {
    expect(await it.use("check_task", { task_id: id })).toMatchObject({ phase: "generating" });
  }
  expect(await reasons(it.rig, it.sessionId)).toEqual([]);
  expect(await it.messages()).toHaveLength(6 * 4);
});

/** A tool that takes a minute of a child's time and no lease. */
const sleeping: Toolset = {
  name: "sleeping",
  description: "Sleeps.",
  tools: () => [
    {
      definition: { name: "sleep", description: "Sleeps.", parameters: { type: "object" } },
      repeatable: true,
      run: async (_input, { clock, signal }) => {
        await delay(clock, 60_000, signal);
        return { type: "result", value: "slept" };
      },
    },
  ],
};

describe("a full queue", () => {
  const full = (slots: number, maxChildren: number) => ({
    maxQueued: 1,
    backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots, maxChildren, local: true }],
  });

  test("refuses a new task, and no turn of a session", async () => {
    const made = rig({
      settings: full(1, 1),
      reply: ({ model }) => (model === "parent" ? [wait(1_000), say("hello")] : [hang()]),
    });
    const sessions = await Promise.all([1, 2, 3].map(() => made.api.createSession()));
    for (const { taskId } of sessions) await made.api.sendMessage(taskId, { text: "hi" });
    for (const n of [1, 2]) await made.api.delegate({ goal: `task ${n}` });
    await expect(made.api.delegate({ goal: "task 3" })).rejects.toMatchObject({ code: "queue_full" });
    await made.clock.advance(10_000);
    for (const { taskId } of sessions) {
      expect((await made.api.transcript(taskId)).items.at(-1)?.message.role).toBe("assistant");
    }
  });

  test("never refuses the turn of a parent that resumes", async () => {
    const made = rig({
      settings: full(1, 4),
      toolsets: [sleeping],
      reply: ({ model, messages }) => {
        if (model === "parent") return [wait(10_000), say("hello")];
        if (textOf(messages[1] as never) !== "lead") return [call("sleep", {})];
        const told = resultsIn(messages) as readonly Told[];
        if (told.length === 0) return [call("delegate_task_async", { goal: "dig" })];
        const { task_id } = told[0] as Told;
        return told.length === 1 ? [call("collect_task", { task_id, timeout: 2 })] : [say("led"), hang()];
      },
    });
    const sessions = await Promise.all([made.api.createSession(), made.api.createSession()]);
    const lead = await made.api.delegate({
      goal: "lead",
      role: "orchestrator",
      toolsets: ["delegation", "sleeping"],
    });
    await made.clock.advance(100);
    // One session generates, the other waits for the slot, and the parent will too when its wait is over.
    for (const { taskId } of sessions) await made.api.sendMessage(taskId, { text: "hi" });
    await made.clock.advance(5_000);
    expect(await made.api.check(lead.taskId)).toMatchObject({ state: "running", phase: "waiting_slot" });
    await made.clock.advance(20_000);
    expect(await made.api.check(lead.taskId)).toMatchObject({
      phase: "generating",
      tail: expect.arrayContaining(["led"]) as string[],
    });
  });
});

describe("a turn that was called off while its intents were written", () => {
  async function midCall(kind: "session" | "task"): Promise<{ made: Rig; id: string; started: string[] }> {
    const started: string[] = [];
    const notes: Toolset = {
      name: "notes",
      description: "Notes.",
      tools: () => [
        {
          definition: { name: "note", description: "Notes.", parameters: { type: "object" } },
          repeatable: false,
          run: async (_input, { taskId }) => {
            started.push(taskId);
            return { type: "result", value: "noted" };
          },
        },
      ],
    };
    const made = rig({
      toolsets: [notes],
      settings: { backends: ROOMY, sessionAgent: agentNamed("session", { toolsets: ["notes"] }) },
      reply: ({ messages }) => (messages.at(-1)?.role === "tool" ? [say("ok")] : [call("note", {})]),
      wrapStore: (store, clock) =>
        wrappedStore(store, { before: (name) => (name === "commit" ? delay(clock, 5) : undefined) }),
    });
    const id =
      kind === "session"
        ? (await made.api.createSession()).taskId
        : (await made.api.delegate({ goal: "dig", toolsets: ["notes"] })).taskId;
    if (kind === "session") await made.api.sendMessage(id, { text: "go" });
    while ((await made.api.check(id)).phase !== "calling_tools") await made.clock.advance(1);
    return { made, id, started };
  }

  test("starts no tool after /stop", async () => {
    const { made, id, started } = await midCall("session");
    const stopped = made.api.stopSession(id);
    await made.clock.advance(5_000);
    await stopped;
    expect([started, (await made.api.check(id)).phase]).toEqual([[], "waiting_input"]);
  });

  test("starts no tool after a cancel", async () => {
    const { made, id, started } = await midCall("task");
    await made.api.cancel(id);
    await made.clock.advance(5_000);
    expect([started, (await made.api.check(id)).state]).toEqual([[], "cancelled"]);
  });

  test("starts the tool when nobody calls it off", async () => {
    const { made, id, started } = await midCall("task");
    await made.clock.advance(5_000);
    expect(started).toEqual([id]);
  });
});
