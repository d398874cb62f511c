import { describe, expect, test } from "vitest";
import { settle } from "../../src/base/clock.ts";
import type { SchedulingClass } from "../../src/core/lifecycle.ts";
import type { ToolWait } from "../../src/core/tool.ts";
import type { AgentEvent, PendingWait } from "../../machines/agent.ts";
import type { CommitWrite } from "../../src/store/store.ts";
import { Family } from "../../src/runtime/family.ts";
import { Mailbox } from "../../src/runtime/mailbox.ts";
import { WaitKeeper } from "../../src/runtime/wait-keeper.ts";
import { desk, specOf } from "./specimens.ts";

const ignore = {
  ending: false,
  cancel() {},
  announceMail: async () => {},
  childEnded() {},
  childSpawned() {},
};

/** A keeper for `task_1`, and a family whose members note the class they inherit. */
async function make(schedulingClass: SchedulingClass = "background") {
  const { clock, store, patience } = await desk();
  const inherited: string[] = [];
  const family = new Family((member) => void member);
  const born = (id: string): void =>
    family.add({
      ...ignore,
      id,
      spec: specOf({ id, parentId: "task_1" }),
      inheritClass: (lent) => void inherited.push(`${id} ${lent}`),
    });
  const sent: AgentEvent[] = [];
  const staged: CommitWrite[] = [];
  const mailbox = new Mailbox({ store, patience, taskId: "task_1" });
  const keeper = new WaitKeeper({
    id: "task_1",
    spec: { parentId: "parent" },
    services: { clock, kinship: family },
    mailbox,
    journal: { stage: (write) => void staged.push(write), flush: async () => {} },
    schedulingClass,
    send: (event) => void sent.push(event),
  });
  return { clock, store, family, born, inherited, mailbox, keeper, sent, staged };
}

function waiting(callId: string, wait: ToolWait): PendingWait {
  return { callId, tool: "t", wait, end: null };
}

const children = (...taskIds: string[]): ToolWait => ({ for: "children", taskIds });
const ended = (callId: string, end: object): object => ({ type: "wait.ended", callId, end });

const said = (id: string, text: string) => ({ kind: "answer" as const, id, from: "person:tester", text });

describe("WaitKeeper", () => {
  test("ends a wait when the last of its children has ended", async () => {
    const it = await make();
    for (const id of ["a", "b", "c"]) it.born(id);
    it.keeper.keep([waiting("1", children("a", "b")), waiting("2", children("c"))]);
    it.family.lost("a");
    it.keeper.check();
    await settle();
    expect(it.sent).toEqual([]);
    it.family.lost("b");
    it.keeper.check();
    await settle();
    expect(it.sent).toEqual([ended("1", { cause: "satisfied" })]);
  });

  test("ends one at once whose children have ended before it began", async () => {
    const it = await make();
    it.keeper.keep([waiting("1", children("gone"))]);
    expect(it.sent).toEqual([]);
    await settle();
    expect(it.sent).toEqual([ended("1", { cause: "satisfied" })]);
  });

  test("ends one by its time, and a plain pause as satisfied", async () => {
    const it = await make();
    it.born("a");
    it.keeper.keep([
      waiting("1", { ...children("a"), timeoutMs: 100 } as ToolWait),
      waiting("2", { for: "timer", timeoutMs: 50 }),
    ]);
    await it.clock.advance(200);
    expect(it.sent).toEqual([ended("2", { cause: "satisfied" }), ended("1", { cause: "timeout" })]);
  });

  test("W1 the timers of waits that are no longer kept are gone; those that stay run on from their beginning", async () => {
    const it = await make();
    it.born("a");
    const [one, two] = ["1", "2"].map((id) => waiting(id, { ...children("a"), timeoutMs: 100 } as ToolWait));
    it.keeper.keep([one, two] as PendingWait[]);
    await it.clock.advance(60);
    it.keeper.keep([{ ...(one as PendingWait), end: { cause: "satisfied" } }, two as PendingWait]);
    expect(it.clock.pending).toBe(1);
    await it.clock.advance(40);
    expect(it.sent).toEqual([ended("2", { cause: "timeout" })]);
    it.keeper.keep([]);
    expect(it.clock.pending).toBe(0);
  });

  test("an answer ends the oldest question, and is known to the mailbox", async () => {
    const it = await make();
    expect(it.keeper.answer(said("m0", "to nobody"))).toBe(false);
    it.keeper.keep([
      waiting("1", { for: "input", prompt: "?" }),
      waiting("2", { for: "input", prompt: "??" }),
    ]);
    expect(it.keeper.answer(said("m1", "yes"))).toBe(true);
    await settle();
    expect(it.sent).toEqual([ended("1", { cause: "satisfied", answer: "yes", by: "person" })]);
    expect([it.mailbox.knows("m1"), it.mailbox.knows("m0")]).toEqual([true, false]);
  });

  test("W2 one answer of a person ends all that was asked with it, and no agent's ends any", async () => {
    const it = await make();
    const asked = (callId: string, prompt: string) =>
      waiting(callId, { for: "input", prompt, approval: true });
    it.keeper.keep([
      asked("1", "both?"),
      waiting("2", { for: "input", prompt: "?" }),
      asked("3", "both?"),
      asked("4", "other?"),
    ]);
    const agent = { ...said("m1", "yes"), from: "agent:task_1" };
    expect(it.keeper.answer({ ...agent, questionId: "1" })).toBe(false);
    expect(it.keeper.questionFor({ isAgent: true, questionId: "1", asked: undefined })).toBeNull();
    await settle();
    expect(it.sent).toEqual([]);
    // What is asked in words is an agent's to answer as well, and goes first.
    expect(it.keeper.question).toBe("a person: ?");
    expect(it.keeper.answer(agent)).toBe(true);
    await settle();
    expect(it.sent).toEqual([ended("2", { cause: "satisfied", answer: "yes", by: "agent" })]);
    expect(it.keeper.question).toBe("a person: both?");
    expect(it.keeper.answer(said("m2", "yes"))).toBe(true);
    await settle();
    const allowed = { cause: "satisfied", answer: "yes", by: "person" };
    expect(it.sent.slice(1)).toEqual(["1", "3"].map((id) => ended(id, allowed)));
    expect(it.keeper.question).toBe("a person: other?");
  });

  test("what is said in a conversation answers whether a call may act, and no other question", async () => {
    const it = await make();
    const message = { ...said("m1", "yes"), kind: "message" as const };
    it.keeper.keep([waiting("1", { for: "input", prompt: "?" })]);
    expect(it.keeper.answer(message)).toBe(false);
    it.keeper.keep([waiting("2", { for: "input", prompt: "may I?", approval: true })]);
    // It is mail all the same.
    expect(it.keeper.answer(message)).toBe(false);
    await settle();
    expect(it.sent).toEqual([ended("2", { cause: "satisfied", answer: "yes", by: "person" })]);
    expect(it.mailbox.knows("m1")).toBe(false);
    it.keeper.keep([]);
    expect(it.keeper.question).toBeNull();
  });

  const question = (prompt: string): ToolWait => ({ for: "input", prompt, asks: "parent" });

  test("W3 a question to the parent is mail in the commit that begins the wait, once", async () => {
    const it = await make();
    it.family.add({ ...ignore, id: "parent", spec: specOf({ id: "parent" }), inheritClass() {} });
    const one = waiting("1", question("which?"));
    it.keeper.keep([one]);
    it.keeper.keep([one, waiting("2", question("and then?"))]);
    const mail = it.staged.flatMap(({ outbox = [] }) => outbox);
    const asked = { kind: "question", from: "agent:task_1", childId: "task_1" };
    expect(mail).toEqual([
      { to: "parent", message: { ...asked, id: "task_1/1", questionId: "1", text: "which?" } },
      { to: "parent", message: { ...asked, id: "task_1/2", questionId: "2", text: "and then?" } },
    ]);
    expect(it.keeper.question).toBe("its parent or a person: which?");
  });

  test("W3 a question is not mailed again after a restart", async () => {
    const it = await make();
    it.family.add({ ...ignore, id: "parent", spec: specOf({ id: "parent" }), inheritClass() {} });
    it.keeper.goOn([waiting("1", question("which?"))], []);
    expect(it.staged).toEqual([]);
    expect(it.keeper.question).toBe("its parent or a person: which?");
  });

  test("W3 it ends with the end of its parent, and no other question does", async () => {
    const it = await make();
    it.family.add({ ...ignore, id: "parent", spec: specOf({ id: "parent" }), inheritClass() {} });
    it.keeper.keep([waiting("1", question("which?")), waiting("2", { for: "input", prompt: "?" })]);
    await settle();
    expect(it.sent).toEqual([]);
    it.family.ended("parent", { state: "done", result: "", truncated: false, failure: null });
    await settle();
    expect(it.sent).toEqual([ended("1", { cause: "parent_ended" })]);
  });

  test("W3 it ends at once when its parent has ended before", async () => {
    const it = await make();
    it.keeper.goOn([waiting("1", question("which?"))], []);
    await settle();
    expect(it.sent).toEqual([ended("1", { cause: "parent_ended" })]);
  });

  test("W3 an answer that names its question ends no other", async () => {
    const it = await make();
    it.keeper.keep([
      waiting("1", { for: "input", prompt: "?" }),
      waiting("2", { for: "input", prompt: "??" }),
    ]);
    expect(it.keeper.answer({ ...said("m1", "x"), questionId: "0" })).toBe(false);
    expect(it.mailbox.knows("m1")).toBe(false);
    expect(it.keeper.answer({ ...said("m2", "y"), questionId: "2" })).toBe(true);
    await settle();
    expect(it.sent).toEqual([ended("2", { cause: "satisfied", answer: "y", by: "person" })]);
  });

  test("W4 a child's question that lies unread ends a wait for children, and none that it does not keep waiting", async () => {
    const it = await make();
    it.born("a");
    const ask = {
      kind: "question",
      id: "a/1",
      from: "agent:a",
      childId: "a",
      questionId: "1",
      text: "?",
    } as const;
    await it.store.send("task_1", ask);
    const waits = [waiting("1", children("a")), waiting("2", { for: "input", prompt: "?" })];
    it.keeper.keep(waits);
    await settle();
    expect(it.sent).toEqual([]);
    await it.mailbox.read(() => {});
    it.keeper.check();
    await settle();
    expect(it.sent).toEqual([ended("1", { cause: "asked" })]);
    it.mailbox.takeAll(100);
    it.keeper.keep([waiting("3", children("a"))]);
    await settle();
    expect(it.sent).toHaveLength(1);
  });

  test.each([
    ["background", "background"],
    ["batch", "batch"],
    ["interactive", "resuming"],
  ] as const)("a waiting %s task lends %s to those it waits for, and takes it back", async (own, lent) => {
    const it = await make(own);
    it.born("a");
    it.keeper.keep([waiting("1", children("a"))]);
    it.keeper.keep([]);
    expect(it.inherited).toEqual([`a ${lent}`, "a null"]);
  });
});
