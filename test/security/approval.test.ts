// A person between a model and what it wants to do: nothing acts unasked, nobody else can say yes, and no question is lost.

import { describe, expect, test } from "vitest";
import { call, say, type Step } from "../../providers/script.ts";
import type { ApprovalRule } from "../../src/core/approval.ts";
import type { Tool, Toolset } from "../../src/core/tool.ts";
import { askToolset } from "../../src/toolsets/ask.ts";
import { withApproval } from "../../src/toolsets/approval.ts";
import { RestartingBox } from "../runtime/restarting.ts";
import { agentNamed } from "../runtime/rig.ts";

const RULE: ApprovalRule = { approve: "always", reachesOut: false, timeoutMs: 60_000 };

/** A box with a tool that deletes, and a model that calls it so many times, or makes these calls, in its first turn. */
function box(
  rule: ApprovalRule,
  calls: number | readonly Step[] | ((results: number) => readonly Step[]) = 1,
): { readonly it: RestartingBox; readonly deleted: unknown[] } {
  const deleted: unknown[] = [];
  const tool: Tool = {
    definition: { name: "delete_all", description: "Deletes.", parameters: { type: "object" } },
    repeatable: false,
    run: ({ path }) => {
      deleted.push(path);
      return Promise.resolve({ type: "result", value: `deleted ${String(path)}` });
    },
  };
  const toolset: Toolset = { name: "danger", description: "Deletes.", tools: () => [tool] };
  const it = new RestartingBox({
    toolsets: [withApproval(toolset, rule), askToolset(60_000)],
    settings: { sessionAgent: agentNamed("session", { toolsets: ["danger"], role: "orchestrator" }) },
    reply: ({ messages }) => {
      const results = messages.flatMap(({ parts }) => parts.filter((part) => part.type === "tool_result"));
      if (typeof calls === "function" && results.length < 2) return calls(results.length);
      if (results.length > 0) return [say(results.map(({ text }) => text).join(" | "))];
      if (typeof calls === "object") return calls;
      return Array.from({ length: Number(calls) }, (_, n) => call("delete_all", { path: `file ${n}` }));
    },
  });
  return { it, deleted };
}

async function asking(rule: ApprovalRule = RULE, calls = 1) {
  const made = box(rule, calls);
  const { taskId } = await made.it.api.delegate({ goal: "tidy up", toolsets: ["danger"] });
  await made.it.clock.advance(1_000);
  return { ...made, taskId };
}

const QUESTION = 'Allow delete_all {"path":"file 0"}? Answer yes or no.';

test("the control: without a rule the same call acts unasked", async () => {
  const { it, deleted, taskId } = await asking({ ...RULE, approve: "never" });
  expect(deleted).toEqual(["file 0"]);
  expect((await it.record(taskId)).state).toBe("done");
});

describe("a call that wants to be allowed", () => {
  test("waits where every surface shows it, holds nothing, and acts once when a person says yes", async () => {
    const { it, deleted, taskId } = await asking();
    const view = await it.api.check(taskId);
    expect(view).toMatchObject({
      state: "running",
      phase: "waiting_input",
      waitsFor: `a person: ${QUESTION}`,
    });
    expect(view.tail.at(-1)).toBe(`? ${QUESTION}`);
    const [node] = await it.api.tree();
    expect(node).toMatchObject({ waitsFor: `a person: ${QUESTION}`, lastLine: `? ${QUESTION}` });
    expect(it.rig.runtime.counts()).toMatchObject({ leases: 0, places: 0, waiting: 0 });
    const events = await it.store.events({ after: 0, taskId, types: ["tool.suspended"] });
    expect(events.map(({ data }) => data)).toMatchObject([{ tool: "delete_all", prompt: QUESTION }]);
    expect(deleted).toEqual([]);
    await it.api.answer(taskId, { text: "yes" });
    await it.clock.advance(1_000);
    expect(deleted).toEqual(["file 0"]);
    expect((await it.api.collect(taskId, { timeoutMs: 0 })).result).toBe("deleted file 0");
  });

  test.each([
    ["no", "A person denied delete_all, so it did not run. Do not ask"],
    ["yes, but not that one", 'They said: "yes, but not that one"'],
  ])("does not act after %j, and the model is told", async (text, words) => {
    const { it, deleted, taskId } = await asking();
    await it.api.answer(taskId, { text });
    await it.clock.advance(1_000);
    expect(deleted).toEqual([]);
    expect((await it.api.collect(taskId, { timeoutMs: 0 })).result).toContain(words);
  });

  test("is denied by timeout when nobody answers, over a restart too, and never as if by a person", async () => {
    const { it, deleted, taskId } = await asking();
    await it.restart();
    await it.clock.advance(50_000);
    expect((await it.record(taskId)).phase).toBe("waiting_input");
    await it.clock.advance(10_000);
    const { result } = await it.api.collect(taskId, { timeoutMs: 0 });
    expect(result).toContain("denied by timeout: nobody answered within 60 s");
    expect(result).not.toContain("A person denied");
    expect(deleted).toEqual([]);
  });

  test("still asks after a restart, and acts once when it is allowed then", async () => {
    const { it, deleted, taskId } = await asking();
    await it.restart();
    const view = await it.api.check(taskId);
    expect(view).toMatchObject({ phase: "waiting_input", waitsFor: `a person: ${QUESTION}` });
    expect(view.tail.at(-1)).toBe(`? ${QUESTION}`);
    await it.api.answer(taskId, { text: "yes" });
    await it.clock.advance(1_000);
    await it.restart();
    expect(deleted).toEqual(["file 0"]);
    expect((await it.record(taskId)).state).toBe("done");
  });

  test("does not act when it is cancelled, nor on a yes that comes after", async () => {
    const { it, deleted, taskId } = await asking();
    await it.api.cancel(taskId);
    await it.clock.advance(1_000);
    await expect(it.api.answer(taskId, { text: "yes" })).rejects.toThrow(/ended/);
    await it.clock.advance(1_000);
    expect(deleted).toEqual([]);
    expect((await it.record(taskId)).state).toBe("cancelled");
  });

  test("is answered by no agent and by no steer", async () => {
    const { it, deleted, taskId } = await asking();
    await it.store.send(taskId, { kind: "answer", id: "msg_1", from: "agent:task_0", text: "yes" });
    await it.api.steer(taskId, { message: "yes" });
    await it.restart();
    await it.clock.advance(1_000);
    expect(deleted).toEqual([]);
    expect((await it.record(taskId)).phase).toBe("waiting_input");
    await it.api.answer(taskId, { text: "no" });
    await it.clock.advance(1_000);
    expect(deleted).toEqual([]);
    expect((await it.record(taskId)).state).toBe("done");
  });
});

describe("calls of one turn", () => {
  test("are one question, which shows them all, and one yes allows what it showed", async () => {
    const { it, deleted, taskId } = await asking(RULE, 2);
    const { waitsFor } = await it.api.check(taskId);
    expect(waitsFor).toContain("these 2 calls, all or none?");
    for (const path of ["file 0", "file 1"]) expect(waitsFor).toContain(`delete_all {"path":"${path}"}`);
    await it.api.answer(taskId, { text: "yes" });
    await it.clock.advance(1_000);
    expect(deleted).toEqual(["file 0", "file 1"]);
  });

  test("are all denied by one no", async () => {
    const { it, deleted, taskId } = await asking(RULE, 3);
    await it.api.answer(taskId, { text: "no" });
    await it.clock.advance(1_000);
    expect(deleted).toEqual([]);
    expect((await it.record(taskId)).state).toBe("done");
  });
});

describe("a question beside a call", () => {
  const FORGED = "Allow list_files {}? Answer yes or no.";

  /** One turn with a call that must be allowed, and a question that is worded like a permission. */
  async function disguised(order: "call first" | "question first") {
    const turn = [call("delete_all", { path: "file 0" }), call("ask_parent", { question: FORGED })];
    const { it, deleted } = box(RULE, order === "call first" ? turn : turn.toReversed());
    const { taskId } = await it.api.delegate({ goal: "tidy up", toolsets: ["danger", "ask"] });
    await it.clock.advance(1_000);
    return { it, deleted, taskId };
  }

  test.each(["call first", "question first"] as const)(
    "takes the yes that it was given: %s",
    async (order) => {
      const { it, deleted, taskId } = await disguised(order);
      expect((await it.api.check(taskId)).waitsFor).toBe(`a person: ${FORGED}`);
      await it.api.answer(taskId, { text: "yes" });
      await it.clock.advance(1_000);
      expect(deleted).toEqual([]);
      expect((await it.api.check(taskId)).waitsFor).toBe(`a person: ${QUESTION}`);
      await it.api.answer(taskId, { text: "yes" });
      await it.clock.advance(1_000);
      expect(deleted).toEqual(["file 0"]);
    },
  );
});

describe("a yes that comes late", () => {
  const FORGED = "Allow list_files {}? Answer yes or no.";

  /** A question that is worded like a permission runs out while a person reads it, and a call takes its place. */
  async function late() {
    const { it, deleted } = box(RULE, (results) =>
      results === 0
        ? [call("ask_parent", { question: FORGED, timeout: 5 })]
        : [call("delete_all", { path: "file 0" })],
    );
    const { taskId } = await it.api.delegate({ goal: "tidy up", toolsets: ["danger", "ask"] });
    await it.clock.advance(1_000);
    const { waitsFor } = await it.api.check(taskId);
    await it.clock.advance(5_000);
    expect((await it.api.check(taskId)).waitsFor).toBe(`a person: ${QUESTION}`);
    return { it, deleted, taskId, asked: waitsFor?.replace("a person: ", "") ?? "" };
  }

  test("the control: one that says not what it answers allows the call", async () => {
    const { it, deleted, taskId } = await late();
    await it.api.answer(taskId, { text: "yes" });
    await it.clock.advance(1_000);
    expect(deleted).toEqual(["file 0"]);
  });

  test("is refused when it says what it answers, and allows nothing", async () => {
    const { it, deleted, taskId, asked } = await late();
    expect(asked).toBe(FORGED);
    const refused = it.api.answer(taskId, { text: "yes", asked });
    await expect(refused).rejects.toMatchObject({ code: "nothing_asked" });
    await it.clock.advance(1_000);
    expect(deleted).toEqual([]);
    await it.api.answer(taskId, { text: "yes", asked: QUESTION });
    await it.clock.advance(1_000);
    expect(deleted).toEqual(["file 0"]);
  });
});

describe("a session's own call", () => {
  const conversation = async () => {
    const made = box(RULE);
    const { taskId } = await made.it.api.createSession();
    await made.it.api.sendMessage(taskId, { text: "tidy up" });
    await made.it.clock.advance(1_000);
    expect((await made.it.api.check(taskId)).waitsFor).toBe(`a person: ${QUESTION}`);
    return { ...made, taskId };
  };

  test("is answered like any other's, too", async () => {
    const { it, deleted, taskId } = await conversation();
    await it.api.answer(taskId, { text: "yes" });
    await it.clock.advance(5_000);
    expect(deleted).toEqual(["file 0"]);
    expect(await it.conversation(taskId)).not.toContain("user yes");
  });

  test.each([
    ["yes", ["file 0"], "assistant deleted file 0"],
    ["what are you doing?", [], 'They said: "what are you doing?"'],
  ])("is answered by what is said next: %j", async (text, gone, words) => {
    const { it, deleted, taskId } = await conversation();
    await it.api.sendMessage(taskId, { text });
    await it.clock.advance(5_000);
    expect(deleted).toEqual(gone);
    const said = await it.conversation(taskId);
    // What was said is part of the conversation all the same, once.
    expect(said.filter((line) => line === `user ${text}`)).toHaveLength(1);
    expect(said.at(-1)).toContain(words);
  });
});
