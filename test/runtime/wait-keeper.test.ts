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
    services: { clock, kinship: family },
    mailbox,
    journal: { stage: (write) => void staged.push(write) },
    schedulingClass,
    send: (event) => void sent.push(event),
  });
  return { clock, family, born, inherited, mailbox, keeper, sent, staged };
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
    expect(it.sent).toEqual([ended("1", { cause: "satisfied", answer: "yes" })]);
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
    expect(it.keeper.question).toBe("both?");
    expect(it.keeper.answer({ ...said("m1", "yes"), from: "agent:task_1" })).toBe(false);
    await settle();
    expect(it.sent).toEqual([]);
    expect(it.keeper.answer(said("m2", "yes"))).toBe(true);
    await settle();
    expect(it.sent).toEqual(["1", "3"].map((id) => ended(id, { cause: "satisfied", answer: "yes" })));
    expect(it.keeper.question).toBe("?");
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
    expect(it.sent).toEqual([ended("2", { cause: "satisfied", answer: "yes" })]);
    expect(it.mailbox.knows("m1")).toBe(false);
    it.keeper.keep([]);
    expect(it.keeper.question).toBeNull();
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
