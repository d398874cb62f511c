import { describe, expect, test } from "vitest";
import { textOf, type Message } from "../../src/core/message.ts";
import { foldMail, goalMessage, isFromPerson, newsOf, senderOf, toldAs } from "../../src/runtime/mail.ts";
import type { InboxEntry, InboxMessage } from "../../src/store/store.ts";
import { completion, question, steer } from "./specimens.ts";

const MESSAGE: InboxMessage = { kind: "message", id: "m", from: "person:ann", text: "hello" };
const ANSWER: InboxMessage = { kind: "answer", id: "n", from: "person:ann", text: "yes" };
const CANCEL: InboxMessage = { kind: "cancel", id: "c", from: "person:ann", reason: "enough", force: false };

function entries(...messages: readonly InboxMessage[]): InboxEntry[] {
  return messages.map((message, at) => ({
    taskId: "task_1",
    position: at + 1,
    time: 0,
    message,
    state: "queued",
    turn: null,
    reason: null,
  }));
}

describe("foldMail", () => {
  test("puts every kind into its words, in order", () => {
    const folded = foldMail(
      entries(MESSAGE, steer("s"), completion("task_2"), ANSWER, CANCEL),
      new Set(),
      1_000,
    );
    expect(folded.messages.map((message) => [message.origin, textOf(message)])).toEqual([
      ["person", "hello"],
      ["steer", "[steer] word s"],
      ["completion", "[task finished] task_2 done: dig\ngold"],
      ["person", "yes"],
    ]);
    expect(folded.events.map(({ type }) => type)).toEqual([
      "steer.delivered",
      "steer.delivered",
      "child.completed",
      "steer.delivered",
    ]);
    expect(folded.cursor).toBe(5);
  });

  test("tells a child's question with what its answer needs, and none of a child whose end was told", () => {
    const mail = entries(question("task_2"));
    const [asked] = foldMail(mail, new Set(), 1_000).messages;
    expect([asked?.origin, textOf(asked as Message)]).toEqual([
      "question",
      "[question] task_2 call_1_1 waits for your answer (answer_task):\nwhich?",
    ]);
    const stale = foldMail(mail, new Set(["task_2"]), 1_000);
    expect(stale).toMatchObject({ messages: [], events: [{ type: "steer.delivered" }], cursor: 1 });
  });

  test("an agent's answer that came too late is its steer, and no word of a person", () => {
    const late = foldMail(entries({ ...ANSWER, from: "agent:task_9" }), new Set(), 1_000);
    expect(late.messages.map((message) => [message.origin, textOf(message)])).toEqual([
      ["steer", "[steer] yes"],
    ]);
  });

  test("says nothing a second time of a child whose end a result has told", () => {
    const folded = foldMail(entries(completion("task_2")), new Set(["task_2"]), 1_000);
    expect(folded).toMatchObject({ messages: [], events: [{ type: "child.completed" }], cursor: 1 });
  });

  test("cuts a result to what the model's context can take, and says so", () => {
    const end = { state: "done" as const, result: "x".repeat(5_000), truncated: false, failure: null };
    const mail = foldMail(entries({ kind: "completion", id: "task_2", end, goal: "dig" }), new Set(), 500);
    const text = textOf(mail.messages[0] as Message);
    expect(text.length).toBeLessThan(600);
    expect(text).toMatch(/characters cut/);
  });

  test("says of a result that its end is missing", () => {
    const end = { state: "done" as const, result: "half of the ans", truncated: true, failure: null };
    const mail = foldMail(entries({ kind: "completion", id: "task_2", end, goal: "dig" }), new Set(), 500);
    expect(textOf(mail.messages[0] as Message)).toMatch(
      /half of the ans\n\[cut: this is not the whole answer\]$/,
    );
  });

  test("announces a failure by its code, and an end without a result as such", () => {
    const failure = { code: "timeout", message: "Too slow.", retryable: false };
    const end = { state: "failed" as const, result: null, truncated: false, failure };
    const none = { ...end, state: "cancelled" as const, failure: null };
    const texts = [end, none].map((each) =>
      foldMail(
        entries({ kind: "completion", id: "task_2", end: each, goal: "dig" }),
        new Set(),
        1_000,
      ).messages.map(textOf),
    );
    expect(texts).toEqual([
      ["[task finished] task_2 failed: dig\nIt failed (timeout): Too slow."],
      ["[task finished] task_2 cancelled: dig\nIt left no result."],
    ]);
  });
});

describe("who wrote it", () => {
  test("a person by name, an agent by its task", () => {
    expect(senderOf({ name: "ann", taskId: null })).toBe("person:ann");
    expect(senderOf({ name: "whatever", taskId: "task_9" })).toBe("agent:task_9");
  });

  test("a name cannot make an agent a person", () => {
    const from = senderOf({ name: "person:ann", taskId: "task_9" });
    expect(isFromPerson(steer("s", { from }))).toBe(false);
    expect(isFromPerson(steer("s"))).toBe(true);
    expect(isFromPerson(completion("task_2"))).toBe(false);
  });
});

describe("newsOf", () => {
  test.each([
    { message: MESSAGE, type: "message.received", interrupt: false, person: true },
    { message: steer("s", { interrupt: true }), type: "steer.queued", interrupt: true, person: true },
    { message: steer("s", { from: "agent:task_9" }), type: "steer.queued", interrupt: false, person: false },
    { message: completion("task_2"), type: null, interrupt: false, person: false },
    { message: ANSWER, type: null, interrupt: false, person: true },
  ])("$message", ({ message, ...expected }) => {
    const { event, ...news } = newsOf(message);
    expect({ type: event?.type ?? null, ...news }).toEqual(expected);
  });
});

test("the goal is all that a child knows, with its context below", () => {
  expect(textOf(goalMessage("dig", null))).toBe("dig");
  expect(textOf(goalMessage("dig", "here"))).toBe("dig\n\nContext:\nhere");
});

test("what a result may have told goes by the child or the answer; a steer is told by nothing else", () => {
  const mail = [completion("task_2"), question("task_2"), ANSWER, steer("s"), MESSAGE, CANCEL];
  expect(mail.map(toldAs)).toEqual(["task_2", "task_2", "n", null, null, null]);
});
