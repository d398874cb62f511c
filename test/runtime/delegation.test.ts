// What a parent's model can do with children, through the seven tools, on virtual time.

import { describe, expect, test } from "vitest";
import { call, hang, say, wait } from "../../providers/script.ts";
import type { Step } from "../../providers/script.ts";
import { textOf, type Message } from "../../src/core/message.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { agentNamed, rig, type Rig, type RigOptions } from "./rig.ts";

/** Results of tools in the last message group, decoded. */
function lastResults(request: GenerateRequest): unknown[] {
  return request.messages.flatMap((message) =>
    message.parts.flatMap((part) => (part.type === "tool_result" ? [decode(part.text)] : [])),
  );
}

function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A parent that makes these calls, one turn each, then says what the last tool answered. */
function parentScript(turns: readonly (readonly Step[])[], child: (goal: string) => readonly Step[]) {
  return (request: GenerateRequest): readonly Step[] => {
    const goal = textOf(
      request.messages.find((message) => message.origin === "goal" && message.role === "user") ??
        (request.messages[0] as Message),
    );
    if (request.model === "child") return child(goal);
    const done = request.messages.filter(
      (message) => message.role === "assistant" && message.parts.some((part) => part.type === "tool_call"),
    ).length;
    return turns[done] ?? [say("finished")];
  };
}

async function session(options: RigOptions, text = "go"): Promise<Rig & { readonly sessionId: string }> {
  const made = rig(options);
  const { taskId } = await made.api.createSession();
  await made.api.sendMessage(taskId, { text });
  return { ...made, sessionId: taskId };
}

async function toolResults({ api, sessionId }: Rig & { readonly sessionId: string }): Promise<unknown[]> {
  const { items } = await api.transcript(sessionId);
  return items.flatMap((row) =>
    row.message.parts.flatMap((part) => (part.type === "tool_result" ? [decode(part.text)] : [])),
  );
}

async function childrenOf({
  api,
  sessionId,
}: Rig & { readonly sessionId: string }): Promise<readonly string[]> {
  return (await api.check(sessionId)).children;
}

describe("delegate_task_async", () => {
  test("returns a task id at once while the child still runs", async () => {
    const it = await session({
      reply: parentScript([[call("delegate_task_async", { goal: "dig" })]], () => [hang()]),
    });
    await it.clock.advance(1);
    const [result] = await toolResults(it);
    expect(result).toMatchObject({
      task_id: expect.stringMatching(/^task_/),
      note: expect.stringContaining("do not make one up"),
    });
    const [child] = await childrenOf(it);
    expect((await it.api.check(child as string)).state).toBe("running");
  });

  test("gives the child the goal and the context and nothing of the conversation", async () => {
    let seen: readonly Message[] = [];
    const it = await session(
      {
        reply: (request) => {
          if (request.model === "child") {
            seen = request.messages;
            return [say("ok")];
          }
          return request.messages.at(-1)?.role === "tool"
            ? [say("started")]
            : [call("delegate_task_async", { goal: "dig", context: "only here" })];
        },
      },
      "a secret of the conversation",
    );
    await it.clock.advance(10);
    const words = seen
      .filter((message) => message.role === "user")
      .map(textOf)
      .join("\n");
    expect(words).toBe("dig\n\nContext:\nonly here");
  });

  test("announces the end of the child as a new turn, once, with its result", async () => {
    const it = await session({
      reply: parentScript([[call("delegate_task_async", { goal: "dig" })]], () => [wait(100), say("gold")]),
    });
    await it.clock.advance(500);
    const { items } = await it.api.transcript(it.sessionId);
    const announced = items
      .filter((row) => row.message.origin === "completion")
      .map((row) => textOf(row.message));
    expect(announced).toHaveLength(1);
    expect(announced[0]).toMatch(/^\[task finished\] task_\w+ done: dig\ngold$/);
  });

  test("creates several children in one turn, in order", async () => {
    const calls = ["a", "b", "c"].map((goal) => call("delegate_task_async", { goal }));
    const it = await session({ reply: parentScript([calls], () => [hang()]) });
    await it.clock.advance(5);
    const ids = await childrenOf(it);
    const goals = await Promise.all(ids.map(async (id) => (await it.api.check(id)).goal));
    expect(goals).toEqual(["a", "b", "c"]);
  });

  test.each([
    [{ goal: "" }, /goal/],
    [{ goal: { deep: 1 } }, /goal/],
    [{}, /goal/],
    [{ goal: "x", agent: "nobody" }, /There is no agent "nobody"/],
    [{ goal: "x", toolsets: ["terminal"] }, /terminal/],
    [{ goal: "x", toolsets: ["nonsense"] }, /nonsense/],
    [{ goal: "x", role: "orchestrator" }, /max_spawn_depth/],
    [{ goal: "x", role: "boss" }, /role/],
    [{ goal: "x", model: "gpt" }, /model/],
    [{ goal: "x", tasks: [] }, /tasks/],
  ])("refuses %j with a reason, and spawns nothing", async (input, reason) => {
    const it = await session({ reply: parentScript([[call("delegate_task_async", input)]], () => [hang()]) });
    await it.clock.advance(5);
    expect(String((await toolResults(it))[0])).toMatch(reason);
    expect(await childrenOf(it)).toEqual([]);
  });

  test("queues what is over max_concurrent_children, with a visible position, and starts it when one ends", async () => {
    const calls = ["a", "b", "c", "d", "e"].map((goal) => call("delegate_task_async", { goal }));
    const it = await session({
      settings: {
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 8, maxChildren: 8, local: true }],
      },
      reply: parentScript([calls], (goal) => (goal === "a" ? [wait(50), say("done")] : [hang()])),
    });
    await it.clock.advance(5);
    const ids = await childrenOf(it);
    const views = await Promise.all(ids.map((id) => it.api.check(id)));
    expect(views.map((view) => view.state)).toEqual(["running", "running", "running", "spawned", "spawned"]);
    expect(views.map((view) => view.queuePosition)).toEqual([null, null, null, 1, 2]);
    expect(views[3]?.waitsFor).toMatch(/child slot|slots|children/);
    await it.clock.advance(100);
    expect((await it.api.check(ids[3] as string)).state).toBe("running");
    expect((await it.api.check(ids[4] as string)).queuePosition).toBe(1);
  });

  test("respects the concurrency_limit of an agent under one parent", async () => {
    const calls = [1, 2, 3].map((n) => call("delegate_task_async", { goal: `g${n}`, agent: "research" }));
    const it = await session({
      settings: {
        agents: [agentNamed("research", { concurrencyLimit: 1 })],
        delegation: {
          maxConcurrentChildren: 10,
          maxSpawnDepth: 1,
          onInterrupt: "continue",
          defaultToolsets: [],
        },
      },
      reply: parentScript([calls], () => [hang()]),
    });
    await it.clock.advance(5);
    const states = await Promise.all(
      (await childrenOf(it)).map(async (id) => (await it.api.check(id)).state),
    );
    expect(states).toEqual(["running", "spawned", "spawned"]);
  });
});

describe("delegate_task", () => {
  test("waits for its child and returns the result, holding no lease while it waits", async () => {
    const it = await session({
      reply: parentScript([[call("delegate_task", { goal: "dig" })]], () => [wait(200), say("gold")]),
    });
    await it.clock.advance(100);
    expect((await it.api.check(it.sessionId)).phase).toBe("waiting_children");
    expect(it.runtime.counts().leases).toBe(1);
    await it.clock.advance(200);
    expect(await toolResults(it)).toEqual([
      { results: [expect.objectContaining({ finished: true, state: "done", result: "gold" })] },
    ]);
    const { items } = await it.api.transcript(it.sessionId);
    expect(items.some((row) => row.message.origin === "completion")).toBe(false);
  });

  test("runs a batch and returns all results in the order asked, whatever the order of the ends", async () => {
    const batch = { tasks: [{ goal: "slow" }, { goal: "fast" }] };
    const it = await session({
      settings: {
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 4, maxChildren: 4, local: true }],
      },
      reply: parentScript([[call("delegate_task", batch)]], (goal) =>
        goal === "slow" ? [wait(100), say("S")] : [say("F")],
      ),
    });
    await it.clock.advance(300);
    const [result] = (await toolResults(it)) as { results: { result: string }[] }[];
    expect(result?.results.map((each) => each.result)).toEqual(["S", "F"]);
  });

  test("spawns nothing of a batch when one of its tasks is refused", async () => {
    const batch = { tasks: [{ goal: "good" }, { goal: "bad", agent: "nobody" }] };
    const it = await session({ reply: parentScript([[call("delegate_task", batch)]], () => [say("x")]) });
    await it.clock.advance(10);
    expect(String((await toolResults(it))[0])).toContain("nobody");
    expect(await childrenOf(it)).toEqual([]);
  });

  test("does not wait for an agent whose definition says async", async () => {
    const it = await session({
      settings: { agents: [agentNamed("slow", { async: true })] },
      reply: parentScript([[call("delegate_task", { goal: "dig", agent: "slow" })]], () => [hang()]),
    });
    await it.clock.advance(10);
    expect(await toolResults(it)).toEqual([
      { tasks: [expect.objectContaining({ task_id: expect.any(String) as string })] },
    ]);
  });

  test("a person's message ends the wait: the children go on and their ids are what the call returns", async () => {
    const it = await session({
      reply: parentScript([[call("delegate_task", { goal: "dig" })]], () => [wait(10_000), say("gold")]),
    });
    await it.clock.advance(100);
    await it.api.sendMessage(it.sessionId, { text: "still there?" });
    await it.clock.advance(20);
    const [result] = (await toolResults(it)) as { interrupted: boolean; task_ids: string[] }[];
    expect(result).toMatchObject({ interrupted: true });
    expect(result?.task_ids).toEqual(await childrenOf(it));
    expect((await it.api.check(result?.task_ids[0] as string)).state).toBe("running");
  });

  test("on_interrupt: cancel gives Hermes's rule instead", async () => {
    const it = await session({
      settings: {
        delegation: {
          maxConcurrentChildren: 3,
          maxSpawnDepth: 1,
          onInterrupt: "cancel",
          defaultToolsets: [],
        },
      },
      reply: parentScript([[call("delegate_task", { goal: "dig" })]], () => [hang()]),
    });
    await it.clock.advance(100);
    await it.api.sendMessage(it.sessionId, { text: "stop that" });
    await it.clock.advance(20);
    const [child] = await childrenOf(it);
    expect((await it.api.check(child as string)).state).toBe("cancelled");
  });

  test("tells the model of a child that failed, with its code", async () => {
    const it = await session({
      settings: { limits: { ...rigLimits, timeoutMs: 1000 } },
      reply: parentScript([[call("delegate_task", { goal: "dig" })]], () => [hang()]),
    });
    await it.clock.advance(20_000);
    expect(await toolResults(it)).toEqual([
      {
        results: [
          expect.objectContaining({
            finished: true,
            state: "failed",
            failure: { code: "timeout", message: expect.any(String) as string },
          }),
        ],
      },
    ]);
  });

  test.each([
    [{}, /goal/],
    [{ goal: "a", tasks: [{ goal: "b" }] }, /either/],
    [{ tasks: [] }, /tasks/],
    [{ tasks: [{ context: "no goal" }] }, /goal/],
    [{ tasks: Array.from({ length: 33 }, (_, n) => ({ goal: `g${n}` })) }, /32/],
  ])("refuses %j", async (input, reason) => {
    const it = await session({ reply: parentScript([[call("delegate_task", input)]], () => [hang()]) });
    await it.clock.advance(5);
    expect(String((await toolResults(it))[0])).toMatch(reason);
    expect(await childrenOf(it)).toEqual([]);
  });
});

const rigLimits = rig({ reply: [] as never }).settings.limits;
