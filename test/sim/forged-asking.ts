// Histories of questions that break one rule each, and one in which a child asks its parent as it should.

import type { NewEvent, StoredEvent } from "../../src/core/event.ts";
import { textMessage, type Message } from "../../src/core/message.ts";
import { questionText } from "../../src/core/transcript-marks.ts";
import type { InboxMessage } from "../../src/store/store.ts";
import type { Breach } from "./forged.ts";
import { laneWith, type History } from "./history.ts";

const CALL = "call_1_1";
const child = { parentId: "p", rootId: "p", depth: 1 };
const mail = {
  kind: "question",
  id: `c/${CALL}`,
  from: "agent:c",
  childId: "c",
  questionId: CALL,
  text: "?",
} as const;
const WAITS = { state: "running", phase: "waiting_input" } as const;

function suspended(tool: string, waits: object = {}): NewEvent {
  return { type: "tool.suspended", data: { callId: CALL, tool, waitsFor: "input", taskIds: [], ...waits } };
}

const asking = suspended("ask_parent", { prompt: "?", asks: "parent" });
const read = textMessage("user", "question", questionText({ taskId: "c", questionId: CALL, text: "?" }));

function answer(text: string, rest: Partial<Extract<InboxMessage, { kind: "answer" }>> = {}): InboxMessage {
  return { kind: "answer", id: `msg_${text}`, from: "person:ann", text, ...rest };
}

function result(name: string, text: string, callId = CALL): Message {
  return {
    role: "tool",
    origin: "tool",
    parts: [{ type: "tool_result", callId, name, text, isError: false }],
  };
}

const saying = (text: string, by = "a person"): string =>
  JSON.stringify({ answered: true, by, answer: text });

/** A child that asks its parent. */
function asked(history: History): History {
  return history
    .spawn("p")
    .spawn("c", child)
    .commit("c", { ...WAITS, events: [asking], outbox: [{ to: "p", message: mail }] });
}

/** At rest, with a call of the task whose wait ended like this. */
function restAfter(history: History, taskId: string, cause: string): History {
  const task = history.restTask(taskId);
  const events = [{ type: "tool.resumed", data: { callId: CALL, cause } } as unknown as StoredEvent];
  const all = [...history.book.model.tasks.keys()].map((id) => [id, history.restTask(id)] as const);
  return history.rest({ tasks: new Map([...all, [taskId, { ...task, events }]]) });
}

const breach = (check: string, what: string, forge: Breach["forge"]): Breach => ({ check, what, forge });

export const ASKING_BREACHES: readonly Breach[] = [
  breach("who asks holds nothing", "a place", (h) => asked(h).step(laneWith({ places: ["c"] }))),
  breach("a question goes with its wait", "a wait without mail", (h) =>
    h
      .spawn("p")
      .spawn("c", child)
      .commit("c", { ...WAITS, events: [asking] }),
  ),
  breach("a question goes with its wait", "mail without a wait", (h) =>
    h
      .spawn("p")
      .spawn("c", child)
      .commit("c", { outbox: [{ to: "p", message: mail }] }),
  ),
  breach("a question is read once", "twice", (h) =>
    asked(h)
      .commit("p", { inboxCursor: 1, turn: 1, messages: [read, read] })
      .rest(),
  ),
  breach("a question is read once", "before it was taken", (h) => asked(h).say("p", read).rest()),
  breach("a question wakes its parent", "a parent that waits on", (h) => {
    const waits = { callId: CALL, tool: "collect_task", waitsFor: "children", taskIds: ["c"] };
    h.tell({ kind: "life.ready", life: 0, caps: { slots: 1, places: 1, childSlots: 1 } });
    h.now = 100;
    asked(h).commit("p", {
      state: "running",
      phase: "waiting_children",
      events: [{ type: "tool.suspended", data: waits }],
    });
    h.now = 110;
    return h.step();
  }),
  breach("no wait for an answer is cut short", "half of its time", (h) => {
    asked(h).now = 1_000;
    const over: NewEvent = {
      type: "tool.resumed",
      data: { callId: CALL, tool: "ask_parent", cause: "timeout" },
    };
    return h.commit("c", { events: [over] });
  }),
  breach("nobody is said to have answered who has not", "a time that was over", (h) =>
    restAfter(h.spawn("a").say("a", result("guarded", "A person denied guarded.")), "a", "timeout"),
  ),
  breach("nobody is said to have answered who has not", "an answer told as none", (h) =>
    restAfter(h.spawn("a").say("a", result("ask_parent", "No answer in time.")), "a", "satisfied"),
  ),
  breach("nobody is said to have answered who has not", "the words of somebody else", (h) =>
    restAfter(
      h
        .spawn("a")
        .send("a", answer("8080"))
        .say("a", result("ask_parent", saying("8080", "your parent"))),
      "a",
      "satisfied",
    ),
  ),
  breach("nobody is said to have answered who has not", "a deed that nobody allowed", (h) =>
    h
      .spawn("a")
      .send("a", answer("yes", { from: "agent:p" }))
      .tell({
        kind: "tool.began",
        life: 0,
        taskId: "a",
        callId: CALL,
        tool: "guarded",
        repeatable: false,
      }),
  ),
  breach("an answer ends one question", "two", (h) =>
    h
      .spawn("a")
      .send("a", answer("8080"))
      .say("a", result("ask_parent", saying("8080")))
      .say("a", result("ask_parent", saying("8080"), "call_2_1"))
      .rest(),
  ),
  breach("an answer ends one question", "another than it names", (h) =>
    h
      .spawn("a")
      .send("a", answer("8080", { questionId: "call_9_1" }))
      .say("a", result("ask_parent", saying("8080")))
      .rest(),
  ),
];

/** A child asks its parent, which reads it and answers; and the child is told by whom. */
export function goWellAsking(history: History): void {
  const h = asked(history).step(laneWith());
  h.commit("p", { inboxCursor: 1, turn: 1, messages: [read] });
  const reply = answer("8080", { from: "agent:p", questionId: CALL });
  const heard: NewEvent = {
    type: "tool.resumed",
    data: { callId: CALL, tool: "ask_parent", cause: "satisfied" },
  };
  h.send("c", reply).commit("c", { state: "running", phase: "calling_tools", events: [heard] });
  const call = { id: CALL, name: "ask_parent", arguments: { question: "?" } };
  const goal = textMessage("user", "goal", "node c");
  const calling: Message = { role: "assistant", origin: "model", parts: [{ type: "tool_call", call }] };
  const told = result("ask_parent", saying("8080", "your parent"));
  h.commit("c", { inboxCursor: 1, messages: [goal, calling, told] })
    .end("c")
    .end("p")
    .step();
  h.collected("p").collected("c");
  restAfter(h, "c", "satisfied");
}
