import { beforeEach, describe, expect, test } from "vitest";
import type { EventData, EventType, StoredEvent } from "../../src/core/event.ts";
import { AnswerLines } from "../../src/cli/answer-lines.ts";
import { ChatOutput } from "../../src/cli/chat-output.ts";
import { ChatView } from "../../src/cli/chat-view.ts";
import { Printer } from "../../src/cli/printer.ts";
import { ScriptedTerminal } from "./scripted-terminal.ts";

const SESSION = `ses_${"1".repeat(32)}`;
const CHILD = `task_${"2".repeat(32)}`;

let shown: string[];
let view: ChatView;

beforeEach(() => {
  shown = [];
  const screen = {
    interactive: true,
    lines: (async function* () {})(),
    show: (line: string) => void shown.push(line),
    live: () => {},
    suspend: () => null,
    close: () => {},
  };
  const output = new ChatOutput(screen, new Printer(new ScriptedTerminal({ env: { NO_COLOR: "1" } }), false));
  view = new ChatView({ sessionId: SESSION, output, lines: new AnswerLines(() => Infinity) });
});

function event<T extends EventType>(type: T, data: EventData[T], taskId = SESSION): void {
  const stored = { type, data, taskId, state: type.startsWith("task.d") ? "done" : "running" } as unknown;
  view.take({ kind: "event", event: stored as StoredEvent });
}

function delta(text: string, taskId = SESSION): void {
  view.take({ kind: "delta", taskId, channel: "text", text });
}

const finished = (toolCalls: number): EventData["turn.finished"] => ({
  reason: "stop",
  toolCalls,
  promptTokens: 1,
  outputTokens: 1,
});

describe("A1 an answer is shown whole and once", () => {
  test("when it streamed", () => {
    delta("Hello\nwor");
    expect(shown).toEqual(["Hello"]);
    delta("ld");
    event("turn.finished", finished(0));
    event("answer.finished", { text: "Hello\nworld" });
    expect(shown).toEqual(["Hello", "world"]);
  });

  test("when nothing of it streamed", () => {
    event("answer.finished", { text: "All\nof it" });
    expect(shown).toEqual(["All", "of it"]);
  });

  test("when its end was missed", () => {
    delta("Hel");
    event("answer.finished", { text: "Hello" });
    expect(shown).toEqual(["Hello"]);
  });

  test("when its beginning was missed: once more from the start", () => {
    delta("lo");
    event("answer.finished", { text: "Hello" });
    expect(shown).toEqual(["lo", "Hello"]);
  });

  test("when its first piece comes before the event of its turn", () => {
    delta("I");
    event("turn.started", { messages: 1 });
    delta(" have");
    event("answer.finished", { text: "I have" });
    expect(shown).toEqual(["I have"]);
  });
});

test("A1 an answer whose end is told late is still apart from the next", () => {
  delta("started");
  delta("heard");
  event("answer.finished", { text: "started" });
  delta(" it");
  event("answer.finished", { text: "heard it" });
  expect(shown).toEqual(["started", "heard it"]);
});

describe("A2 what was broken off ends its line", () => {
  test("before tool calls", () => {
    delta("I look");
    event("turn.finished", finished(1));
    delta("Found");
    event("answer.finished", { text: "Found" });
    expect(shown).toEqual(["I look", "Found"]);
  });

  test("by another's turn, a failure and a new try, which say so", () => {
    delta("I th");
    event("generation.preempted", { by: "interactive" });
    delta("Again");
    event("generation.retried", { code: "overloaded", message: "busy", attempt: 1, retryInMs: 10 });
    delta("So");
    event("generation.retried", { code: "server_away", message: "gone", attempt: 1, retryInMs: 10 });
    delta("And");
    event("run.failed", { code: "refused", message: "no", retryInMs: null });
    expect(shown).toEqual([
      "I th",
      "Again",
      "The model is asked again: busy",
      "So",
      "Waiting: gone",
      "And",
      "The model failed: no",
    ]);
  });

  test("by the person's /stop", () => {
    delta("I th");
    view.stopped();
    event("answer.finished", { text: "Yes" });
    expect(shown).toEqual(["I th", "Yes"]);
  });
});

describe("children", () => {
  test("come and go as lines, also in the middle of an answer", () => {
    event("task.spawned", { goal: "look\u001b[2J", agent: "child", model: "m", depth: 1 }, CHILD);
    delta("Wri");
    event("task.done", { resultChars: 1, truncated: false }, CHILD);
    delta("ting");
    event("answer.finished", { text: "Writing" });
    expect(shown).toEqual(["+ task_22222222 look", "= task_22222222 done: look", "Writing"]);
  });

  test("that fail say why, and what they write is not shown", () => {
    delta("a child's words\n", CHILD);
    event("task.failed", { code: "timeout", message: "too slow" }, CHILD);
    expect(shown.at(-1)).toBe("  too slow");
    expect(shown).toHaveLength(2);
  });
});

test("thinking is not shown; a gap is said, but not the one before anything was seen", () => {
  view.take({ kind: "delta", taskId: SESSION, channel: "thinking", text: "hm\n" });
  view.take({ kind: "gap", after: 0, before: 5 });
  expect(shown).toEqual([]);
  view.take({ kind: "gap", after: 9, before: 12 });
  expect(shown[0]).toContain("missed");
});

test("the end of the session is noticed once", () => {
  expect(view.ended).toBeNull();
  event("task.done", { resultChars: 0, truncated: false });
  expect(view.ended).toBe("done");
});

describe("a question of a child", () => {
  const asked = { callId: "c", tool: "t", waitsFor: "input", taskIds: [], prompt: "Which one?" } as const;

  test("is shown with the command that answers it", () => {
    event("tool.suspended", asked, CHILD);
    expect(shown).toEqual(["? Which one?", "  task_22222222 asks (/answer task_22222222 yes)"]);
  });

  test("to its parent says that a person may answer too", () => {
    event("tool.suspended", { ...asked, asks: "parent" }, CHILD);
    expect(shown[1]).toBe("  task_22222222 asks its parent; you may answer too (/answer task_22222222 text)");
  });
});

describe("the question that an answer is for", () => {
  const asked = { tool: "t", waitsFor: "input", taskIds: [] } as const;
  const ask = (callId: string, prompt: string): void =>
    event("tool.suspended", { ...asked, callId, prompt }, CHILD);

  test("is the one that was shown, until its call goes on", () => {
    expect(view.askedBy(CHILD)).toBeNull();
    ask("1", "May I?");
    ask("2", "May I?");
    expect(view.askedBy(CHILD)).toBe("May I?");
    for (const callId of ["1", "2"]) event("tool.resumed", { callId, tool: "t", cause: "timeout" }, CHILD);
    expect(view.askedBy(CHILD)).toBeNull();
  });

  test("is nobody's to say while two are open", () => {
    ask("1", "Allow it?");
    ask("2", "Which one?");
    expect(view.askedBy(CHILD)).toBeNull();
  });
});
