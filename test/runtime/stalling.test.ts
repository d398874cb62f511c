// What becomes of a generation and of a tool call that fall silent, on virtual time.

import { describe, expect, test } from "vitest";
import { call, hang, say, wait } from "../../providers/script.ts";
import { scripted } from "../../providers/scripted.ts";
import type { Provider } from "../../providers/provider.ts";
import { delay } from "../../src/base/clock.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { textOf } from "../../src/core/message.ts";
import type { Tool, Toolset } from "../../src/core/tool.ts";
import { NOTHING_HELD, rig, type Rig } from "./rig.ts";

const LIMITS = { ...DEFAULT_TASK_LIMITS, stallMs: 60_000 };

async function eventsOf({ store }: Rig, taskId: string) {
  return store.events({ after: 0, taskId, limit: 1_000 });
}

async function stallsOf(it: Rig, taskId: string) {
  return (await eventsOf(it, taskId)).filter(({ type }) => type === "task.stalled").map(({ data }) => data);
}

/** A provider that goes on whatever its signal says: the slot stays taken for as long as it likes. */
function deaf(provider: Provider): Provider {
  return Object.create(provider, {
    generate: {
      value: (request: Parameters<Provider["generate"]>[0]) =>
        provider.generate(request, { signal: new AbortController().signal }),
    },
  }) as Provider;
}

describe("a generation without a token", () => {
  test("is stopped, says which model was silent, and is tried again", async () => {
    let asked = 0;
    const it = rig({
      settings: { limits: LIMITS },
      reply: () => (++asked === 1 ? [say("so f"), hang()] : [say("at last")]),
    });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(59_000);
    expect(await stallsOf(it, taskId)).toEqual([]);
    await it.clock.advance(1_000);
    expect(await stallsOf(it, taskId)).toEqual([
      { what: "no token from gpu/child for 60 s", silentMs: 60_000 },
    ]);
    expect((await it.api.check(taskId)).phase).toBe("backing_off");
    await it.clock.advance(2_000);
    expect((await it.api.collect(taskId, { timeoutMs: 0 })).result).toBe("at last");
    const retried = (await eventsOf(it, taskId)).find(({ type }) => type === "generation.retried");
    expect(retried?.data).toMatchObject({ code: "stalled", attempt: 1 });
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("fails the task as stalled, retryable, when every try falls silent", async () => {
    const it = rig({ settings: { limits: LIMITS }, reply: () => [hang()] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(400_000);
    const { failure } = await it.api.collect(taskId, { timeoutMs: 0 });
    expect(failure).toMatchObject({ code: "stalled", retryable: true });
    expect(failure?.message).toContain("no token from gpu/child for 60 s");
    expect(failure?.message).toContain("stall_timeout_s");
    expect(await stallsOf(it, taskId)).toHaveLength(5);
  });

  test("a token now and then is a sign of life, however slow", async () => {
    const it = rig({
      settings: { limits: LIMITS },
      reply: () => [say("a"), wait(59_000), say("b"), wait(59_000), say("c")],
    });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(120_000);
    expect((await it.api.collect(taskId, { timeoutMs: 0 })).result).toBe("abc");
    expect(await stallsOf(it, taskId)).toEqual([]);
  });

  test("H1 keeps its lease until the cancel deadline when the provider ignores the abort, and no longer", async () => {
    let asked = 0;
    let provider: Provider | undefined;
    const it: Rig = rig({
      settings: { limits: LIMITS, cancelDeadlineMs: 5_000 },
      reply: () => [],
      providerOf: () =>
        (provider ??= deaf(
          scripted({ clock: it.clock, reply: () => (++asked === 1 ? [hang()] : [say("ok")]) }),
        )),
    });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(64_999);
    expect(await stallsOf(it, taskId)).toHaveLength(1);
    expect(it.runtime.counts().leases).toBe(1);
    await it.clock.advance(1);
    expect(it.runtime.counts().leases).toBe(0);
    await it.clock.advance(8_000);
    expect((await it.api.collect(taskId, { timeoutMs: 0 })).result).toBe("ok");
    // The first request was never closed, and is not said to be.
    expect((await it.store.get(taskId))?.releasedAt).toBeNull();
  });

  test("an interrupting steer is not held up for ever by a provider that ignores the abort", async () => {
    let asked = 0;
    let provider: Provider | undefined;
    const it: Rig = rig({
      settings: { cancelDeadlineMs: 5_000 },
      reply: () => [],
      providerOf: () =>
        (provider ??= deaf(
          scripted({ clock: it.clock, reply: () => (++asked === 1 ? [hang()] : [say("heard")]) }),
        )),
    });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(100);
    await it.api.steer(taskId, { message: "stop that", interrupt: true });
    await it.clock.advance(4_900);
    expect(asked).toBe(1);
    await it.clock.advance(200);
    expect(asked).toBe(2);
    await it.clock.advance(10_000);
    expect((await it.api.collect(taskId, { timeoutMs: 0 })).result).toBe("heard");
  });
});

describe("a tool call without a word", () => {
  function toolset(run: Tool["run"]): Toolset {
    const tool: Tool = {
      definition: { name: "crawl", description: "", parameters: { type: "object", properties: {} } },
      repeatable: false,
      run,
    };
    return { name: "slow", description: "", tools: () => [tool] };
  }

  const replies = (request: Parameters<Provider["generate"]>[0]) =>
    request.messages.some(({ role }) => role === "tool")
      ? [say(textOf(request.messages.at(-1) as never) || "done")]
      : [call("crawl", {})];

  async function resultsOf({ api }: Rig, taskId: string) {
    const { items } = await api.transcript(taskId);
    return items.flatMap(({ message }) =>
      message.parts.flatMap((part) => (part.type === "tool_result" ? [part] : [])),
    );
  }

  test.each([
    [
      "obeys",
      (_: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise<never>((_, no) => signal.addEventListener("abort", () => no(new Error("closed")))),
      60_000,
    ],
    ["is deaf", () => new Promise<never>(() => {}), 70_000],
  ])(
    "is stopped, told to the model as such, and the run goes on: a tool that %s",
    async (_, run, afterMs) => {
      const it = rig({ settings: { limits: LIMITS }, toolsets: [toolset(run)], reply: replies });
      const { taskId } = await it.api.delegate({ goal: "dig", toolsets: ["slow"] });
      await it.clock.advance(afterMs - 1);
      expect(await resultsOf(it, taskId)).toEqual([]);
      await it.clock.advance(1);
      expect(await resultsOf(it, taskId)).toMatchObject([
        {
          name: "crawl",
          isError: true,
          text: expect.stringContaining("the tool crawl said nothing for 60 s") as string,
        },
      ]);
      expect(await stallsOf(it, taskId)).toEqual([
        { what: "the tool crawl said nothing for 60 s", silentMs: 60_000 },
      ]);
      await it.clock.advance(15_000);
      expect((await it.api.check(taskId)).state).toBe("done");
      expect(it.runtime.counts()).toEqual(NOTHING_HELD);
    },
  );

  test("a report of progress is a sign of life; one after the call was given up changes nothing", async () => {
    const reports: number[] = [];
    const it: Rig = rig({
      settings: { limits: LIMITS },
      toolsets: [
        toolset(async (_, context) => {
          for (const percent of [1, 2, 3, 4]) {
            await delay(it.clock, percent === 4 ? 80_000 : 50_000);
            await context.reportProgress({ percent });
            reports.push(percent);
          }
          return { type: "result", value: "?" };
        }),
      ],
      reply: replies,
    });
    const { taskId } = await it.api.delegate({ goal: "dig", toolsets: ["slow"] });
    await it.clock.advance(209_000);
    expect([reports, await stallsOf(it, taskId)]).toEqual([[1, 2, 3], []]);
    await it.clock.advance(30_000);
    expect(await stallsOf(it, taskId)).toHaveLength(1);
    await it.clock.advance(30_000);
    expect(reports).toEqual([1, 2, 3, 4]);
    const { progress, state } = await it.api.check(taskId);
    expect([progress?.percent, state]).toEqual([3, "done"]);
  });

  test("a call that waits for its children is not stalled, however long they take", async () => {
    const it = rig({
      settings: { limits: { ...LIMITS, stallMs: 10_000 } },
      reply: (request) => {
        const child = request.model === "child";
        if (child) return [say("x"), wait(9_000), say("x"), wait(9_000), say("x"), wait(9_000), say("found")];
        return request.messages.some(({ role }) => role === "tool")
          ? [say("thanks")]
          : [call("delegate_task", { goal: "dig" })];
      },
    });
    const { taskId } = await it.api.createSession();
    await it.api.sendMessage(taskId, { text: "go" });
    await it.clock.advance(60_000);
    const stalled = (await it.store.events({ after: 0, limit: 1_000 })).filter(
      ({ type }) => type === "task.stalled",
    );
    expect(stalled).toEqual([]);
    expect((await it.api.check(taskId)).phase).toBe("waiting_input");
    expect(it.provider.begun).toBe(3);
  });
});
