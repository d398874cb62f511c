// What a model reads of results, and what a person sees of tasks: nothing is cut without a word, nothing that matters
// is cut at all.

import { describe, expect, test } from "vitest";
import { call, say, wait, type Step } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { DEFAULT_TASK_LIMITS, RING_LINE_CHARS } from "../../src/core/limits.ts";
import { textOf, type Message } from "../../src/core/message.ts";
import type { Toolset } from "../../src/core/tool.ts";
import { Family } from "../../src/runtime/family.ts";
import { converse, goalIn, ROOMY } from "./conversation.ts";
import { agentNamed, rig, testSettings, type Rig } from "./rig.ts";
import { specOf } from "./specimens.ts";

const CHARS = 11_000;

/** Everything that a prompt says, tool results included. */
function wordsOf(messages: readonly Message[]): string {
  return messages
    .map((message) =>
      [textOf(message), ...message.parts.map((part) => (part.type === "tool_result" ? part.text : ""))].join(
        "",
      ),
    )
    .join("\n");
}

/** A tool that reads out a book of a given length: "<title> begins", then the title over and over. */
const BOOKS: Toolset = {
  name: "books",
  description: "Books.",
  tools: () => [
    {
      definition: { name: "read_book", description: "Reads a book.", parameters: { type: "object" } },
      repeatable: true,
      run: async ({ title, chars }) => ({
        type: "result",
        value: `${String(title)} begins ${`${String(title)} `.repeat(Number(chars) / 2)}`,
      }),
    },
  ],
};

/** A box whose models take this many tokens, and remember every prompt. */
function smallBox(
  contextTokens: number,
  reply: (request: GenerateRequest, nth: number) => readonly Step[],
): { made: Rig; prompts: GenerateRequest[] } {
  const prompts: GenerateRequest[] = [];
  const made = rig({
    toolsets: [BOOKS],
    settings: {
      backends: ROOMY,
      models: testSettings().models.map((model) => ({ ...model, contextTokens })),
      sessionAgent: agentNamed("session", { toolsets: ["delegation", "books"], role: "orchestrator" }),
      limits: { ...DEFAULT_TASK_LIMITS, maxOutputTokens: 512 },
    },
    reply: (request) => {
      if (request.model === "parent") prompts.push(request);
      return reply(request, prompts.length);
    },
  });
  return { made, prompts };
}

const book = (title: string, chars = 13_000) => call("read_book", { title, chars });

test("a batch whose results do not fit together tells each task with a share of its result, and that it was cut", async () => {
  const it = await converse((goal) => [say(`${goal} begins ${goal.repeat(CHARS)}`)]);
  await it.ask(call("delegate_task", { tasks: [{ goal: "A" }, { goal: "B" }, { goal: "C" }] }));
  await it.pass(1_000);
  const [{ results }] = (await it.results()) as [{ results: { result: string }[] }];
  expect(results).toHaveLength(3);
  const ids = await it.children();
  for (const [at, goal] of ["A", "B", "C"].entries()) {
    expect(results[at]).toMatchObject({ task_id: ids[at], state: "done", truncated: true });
    expect(results[at]?.result).toMatch(new RegExp(`^${goal} begins ${goal}{5000,}…$`));
  }
});

describe("a transcript that is compacted", () => {
  test("keeps results that nobody has read yet, each cut, and the question that they answer", async () => {
    const question = `${"Long. ".repeat(60)}What do the books say?`;
    const { made, prompts } = smallBox(16_384, (_request, nth) =>
      nth === 1 ? ["A", "B", "C", "D"].map((title) => book(title)) : [say("A lot.")],
    );
    const { taskId } = await made.api.createSession();
    await made.api.sendMessage(taskId, { text: question });
    await made.clock.advance(1_000);
    expect(prompts).toHaveLength(2);
    const read = wordsOf((prompts[1] as GenerateRequest).messages);
    for (const title of ["A", "B", "C", "D"])
      expect(read).toMatch(new RegExp(`${title} begins (${title} ){500,}`));
    expect(read).toContain("characters cut");
    expect(read).toContain(question);
    const events = await made.store.events({ after: 0, taskId });
    expect(events.filter(({ type }) => type === "transcript.compacted")).toHaveLength(1);
  });

  test("keeps a question word for word until it is answered, however many turns of calls that takes", async () => {
    const question = `${"Long. ".repeat(60)}What do the books say?`;
    const { made, prompts } = smallBox(4_096, (_request, nth) =>
      nth < 8 ? [book(`book${nth}`, 3_000)] : [say("A lot.")],
    );
    const { taskId } = await made.api.createSession();
    await made.api.sendMessage(taskId, { text: question });
    await made.clock.advance(1_000);
    expect(prompts).toHaveLength(8);
    for (const { messages } of prompts) expect(wordsOf(messages)).toContain(question);
    const events = await made.store.events({ after: 0, taskId });
    expect(events.filter(({ type }) => type === "transcript.compacted").length).toBeGreaterThan(1);
  });

  test("has room for the ends of children that come at once, each cut to the model's context", async () => {
    const { made, prompts } = smallBox(8_192, (request, nth) => {
      const goal = goalIn(request);
      if (request.model === "child")
        return [wait(10), say(`${goal} begins ${"w ".repeat(6_000)} ${goal} ends`)];
      const start = ["A", "B", "C"].map((each) => call("delegate_task_async", { goal: each }));
      return nth === 1 ? start : [wait(100), say("ok")];
    });
    const { taskId } = await made.api.createSession();
    await made.api.sendMessage(taskId, { text: "go" });
    await made.clock.advance(60_000);
    const read = prompts.map(({ messages }) => wordsOf(messages));
    for (const goal of ["A", "B", "C"]) {
      expect(
        read.some((prompt) => prompt.includes(`${goal} begins`) && prompt.includes(`${goal} ends`)),
      ).toBe(true);
    }
    const longest = Math.max(...read.map((prompt) => prompt.length));
    expect(longest / 3.5).toBeLessThan(8_192);
  });
});

describe("the tree", () => {
  test("shows a session that lives beside thousands of tasks that ended before", async () => {
    const { api, store, settings } = rig({ reply: () => [say("x")] });
    const workspace = `box:${settings.boxId}:/tmp`;
    const spawned = { goal: "dig", agent: "child", model: "gpu/child", depth: 0 };
    for (let n = 0; n < 5_001; n++) {
      const id = `task_${n}`;
      await store.submit(specOf({ id, rootId: id, workspace }), { type: "task.spawned", data: spawned });
    }
    const other = { owner: "before", boxId: settings.boxId, ttlMs: 1_000, max: 6_000 };
    for (const claim of await store.claim(other)) {
      await store.commit(claim, claim.seq, {
        events: [{ type: "task.done", data: { resultChars: 0, truncated: false } }],
        terminal: { state: "done", result: null, truncated: false, failure: null },
      });
    }
    const { taskId } = await api.createSession();
    expect((await api.tree()).map((node) => node.taskId)).toContain(taskId);
  });

  test("shows a session that lives after hundreds of trees have ended", async () => {
    const { api, clock } = rig({ reply: () => [say("x")], settings: { backends: ROOMY } });
    const early = await api.createSession();
    for (let batch = 0; batch < 10; batch++) {
      await api.delegateBatch(Array.from({ length: 30 }, (_, n) => ({ goal: `g${batch}.${n}` })));
      await clock.advance(10);
    }
    const late = await api.createSession();
    const living = (await api.tree()).filter(({ state }) => state !== "done").map(({ taskId }) => taskId);
    expect(living).toEqual([early.taskId, late.taskId]);
  });

  test("puts what lives behind what has ended, where the room is, however long ago it changed", () => {
    const family = new Family(() => {});
    const member = (id: string, rootId = id) => ({
      id,
      spec: specOf({ id, rootId, parentId: rootId === id ? null : rootId }),
      ending: false,
      cancel: () => {},
      announceMail: async () => {},
      childEnded: () => {},
      childSpawned: () => {},
      inheritClass: () => {},
    });
    const end = { state: "done" as const, result: null, truncated: false, failure: null };
    for (const each of [member("old"), member("child", "old"), member("a"), member("b")]) family.add(each);
    for (const id of ["child", "a", "b"]) family.ended(id, end);
    expect(family.roots()).toEqual(["a", "b", "old"]);
  });
});

test("the tail of a task that has ended has at most ten lines of at most 500 characters", async () => {
  const lines = Array.from({ length: 30 }, (_, n) => `${n} ${"x".repeat(700)}`);
  const { api, clock } = rig({ reply: () => [say(lines.join("\n"))] });
  const { taskId } = await api.delegate({ goal: "dig" });
  await clock.advance(100);
  const { tail, state } = await api.check(taskId);
  expect(state).toBe("done");
  expect(tail.map((line) => line.split(" ")[0])).toEqual(Array.from({ length: 10 }, (_, n) => `${n + 20}`));
  expect(Math.max(...tail.map((line) => line.length))).toBeLessThanOrEqual(RING_LINE_CHARS);
});
