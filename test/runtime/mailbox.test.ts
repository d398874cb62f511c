import { describe, expect, test } from "vitest";
import { delay } from "../../src/base/clock.ts";
import { textOf } from "../../src/core/message.ts";
import { Mailbox } from "../../src/runtime/mailbox.ts";
import type { InboxEntry } from "../../src/store/store.ts";
import { completion, desk, question, steer, type Desk } from "./specimens.ts";
import { wrappedStore } from "./wrapped-store.ts";

async function box(
  storeMs = 0,
): Promise<
  Desk & { readonly mail: Mailbox; readonly heard: string[]; readonly hear: (entry: InboxEntry) => void }
> {
  const at = await desk();
  const store = storeMs === 0 ? at.store : wrappedStore(at.store, { before: () => delay(at.clock, storeMs) });
  const heard: string[] = [];
  const mail = new Mailbox({ store, patience: at.patience, taskId: "task_1" });
  return { ...at, mail, heard, hear: ({ message }) => heard.push(message.id) };
}

describe("Mailbox", () => {
  test("X1 announces entries in order, each once", async () => {
    const it = await box();
    for (const id of ["a", "b"]) await it.store.send("task_1", steer(id));
    await it.mail.read(it.hear);
    await it.store.send("task_1", steer("c"));
    await it.mail.read(it.hear);
    await it.mail.read(it.hear);
    expect(it.heard).toEqual(["a", "b", "c"]);
    expect(it.mail.pending.map(({ position }) => position)).toEqual([1, 2, 3]);
  });

  test("X1 misses nothing that comes while it reads, whenever that is", async () => {
    for (let steps = 0; steps < 40; steps++) {
      const it = await box();
      await it.store.send("task_1", steer("first"));
      const reading = it.mail.read(it.hear);
      for (let n = 0; n < steps; n++) await Promise.resolve();
      void it.store.send("task_1", steer("second"));
      await it.mail.read(it.hear);
      await reading;
      expect(it.heard).toEqual(["first", "second"]);
    }
  });

  test("calls that come while it reads share one more look", async () => {
    const it = await box(10);
    await it.store.send("task_1", steer("a"));
    const reads = [1, 2, 3].map(() => it.mail.read(it.hear));
    await it.clock.advance(100);
    await Promise.all(reads);
    expect(it.heard).toEqual(["a"]);
  });

  test("takes all that is pending, with the cursor that the commit must carry", async () => {
    const it = await box();
    await it.store.send("task_1", steer("a"));
    await it.store.send("task_1", completion("task_2"));
    await it.mail.read(it.hear);
    const folded = it.mail.takeAll(1_000);
    expect(folded?.messages.map(textOf)).toEqual([
      "[steer] word a",
      "[task finished] task_2 done: dig\ngold",
    ]);
    expect(folded?.cursor).toBe(2);
    expect(it.mail.takeAll(1_000)).toBeNull();
  });

  test("what a result has told is taken without a message", async () => {
    const it = await box();
    await it.store.send("task_1", completion("task_2"));
    await it.mail.read(it.hear);
    it.mail.know(["task_2"]);
    expect(it.mail.knows("task_2")).toBe(true);
    expect(it.mail.takeKnown()).toMatchObject({ cursor: 1, events: [{ type: "child.completed" }] });
    expect(it.mail.takeAll(1_000)).toBeNull();
  });

  test("what is known behind what is not waits, so that the cursor passes nothing unread", async () => {
    const it = await box();
    await it.store.send("task_1", steer("a"));
    await it.store.send("task_1", completion("task_2"));
    await it.mail.read(it.hear);
    it.mail.know(["task_2"]);
    expect(it.mail.takeKnown()).toBeNull();
    expect(it.mail.takeAll(1_000)?.messages.map(textOf)).toEqual(["[steer] word a"]);
  });

  test.each([
    ["lies unread", () => {}, true],
    ["was taken", (mail: Mailbox) => mail.takeAll(1_000), false],
    ["is of a child whose end was told", (mail: Mailbox) => mail.know(["task_2"]), false],
    ["is of a child that a person stopped", (mail: Mailbox) => mail.hush(["task_2"]), false],
    ["is of a run before", (mail: Mailbox) => mail.knowCompletions(), false],
  ] as const)("a question that %s: it is asked %j", async (_, happens, isAsked) => {
    const it = await box();
    await it.store.send("task_1", question("task_2"));
    await it.mail.read(it.hear);
    happens(it.mail);
    expect(it.mail.isAsked).toBe(isAsked);
  });

  test("begins behind what was taken before a restart", async () => {
    const at = await desk();
    for (const id of ["a", "b"]) await at.store.send("task_1", steer(id));
    const heard: string[] = [];
    const mail = new Mailbox({ store: at.store, patience: at.patience, taskId: "task_1", cursor: 1 });
    await mail.read(({ message }) => heard.push(message.id));
    expect(heard).toEqual(["b"]);
  });
});
