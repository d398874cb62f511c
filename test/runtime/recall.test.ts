// A host's memory is read again from rows that the test wrote as a turn would have.

import { describe, expect, test } from "vitest";
import type { NewEvent } from "../../src/core/event.ts";
import { textMessage, type Message } from "../../src/core/message.ts";
import { recall } from "../../src/runtime/recall.ts";
import type { CommitWrite } from "../../src/store/store.ts";
import { desk } from "./specimens.ts";

const calls = (...ids: readonly string[]): Message => ({
  role: "assistant",
  origin: "model",
  parts: ids.map((id) => ({ type: "tool_call", call: { id, name: "hit", arguments: {} } })),
});
const result = (callId: string): Message => ({
  role: "tool",
  origin: "tool",
  parts: [{ type: "tool_result", callId, name: "hit", text: "hit", isError: false }],
});
const said = (text: string): Message => textMessage("assistant", "model", text);
const goal = textMessage("user", "goal", "dig");
const intent = (callId: string): NewEvent => ({
  type: "tool.requested",
  data: { callId, tool: "hit", input: {} },
});

async function recalled(...writes: readonly CommitWrite[]) {
  const { store, patience, claim } = await desk();
  let [seq, lastIndex] = [claim.seq, 0];
  for (const write of writes) ({ seq, lastIndex } = await store.commit(claim, seq, write));
  return recall({ store, patience, taskId: "task_1", lastIndex });
}

describe("recall", () => {
  test("remembers nothing of a task that wrote nothing", async () => {
    expect(await recalled()).toEqual({
      begunTurn: 0,
      begunRun: 0,
      openCalls: [],
      intended: new Set(),
      answer: null,
      newest: [],
    });
  });

  test("finds the calls without a result, and which of them may have acted", async () => {
    const it = await recalled(
      { run: 1, turn: 1, messages: [goal] },
      { messages: [calls("a", "b", "c")], events: [intent("a")] },
      { events: [intent("b")] },
      { messages: [result("a")] },
    );
    expect(it.openCalls.map(({ id }) => id)).toEqual(["b", "c"]);
    expect(it.intended).toEqual(new Set(["a", "b"]));
    expect([it.begunRun, it.begunTurn]).toEqual([1, 1]);
  });

  test("does not take an intent of an earlier turn for one of this", async () => {
    const it = await recalled(
      { run: 1, turn: 1, messages: [goal] },
      { messages: [calls("a")], events: [intent("a")] },
      { messages: [result("a")] },
      { turn: 2, messages: [calls("a")] },
    );
    expect([it.openCalls.length, it.intended.size]).toEqual([1, 0]);
  });

  test("finds the last answer behind many turns with calls, and takes no interrupted words for one", async () => {
    const turns = Array.from({ length: 90 }, (_, at) => ({
      messages: [calls(`c${at}`), result(`c${at}`)],
    }));
    const cut = { ...said("half a wo"), interrupted: true as const };
    const it = await recalled({ run: 1, turn: 1, messages: [goal, said("gold")] }, ...turns, {
      messages: [cut],
    });
    expect([it.answer, it.openCalls, it.newest.length]).toEqual(["gold", [], 32]);
  });

  test("leaves open calls of a run that failed behind", async () => {
    const it = await recalled(
      { run: 1, turn: 1, messages: [goal, calls("a")] },
      { run: 2, turn: 2, messages: [goal] },
    );
    expect([it.openCalls, it.begunRun]).toEqual([[], 2]);
  });

  test("takes no result that ended a run for the beginning of the next", async () => {
    const it = await recalled(
      { run: 1, turn: 1, messages: [goal, calls("a")] },
      { run: 2, messages: [result("a")] },
    );
    expect([it.begunRun, it.openCalls]).toEqual([1, []]);
  });

  test("finds the open calls of an answer that more rows than a page follow", async () => {
    const ids = Array.from({ length: 60 }, (_, at) => `c${at}`);
    const it = await recalled(
      { run: 1, turn: 1, messages: [goal, calls(...ids)] },
      { messages: ids.slice(0, 50).map(result) },
    );
    expect(it.openCalls.map(({ id }) => id)).toEqual(ids.slice(50));
  });
});
