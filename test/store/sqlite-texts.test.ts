import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NewEvent } from "../../src/core/event.ts";
import { textMessage } from "../../src/core/message.ts";
import type { Message } from "../../src/core/message.ts";
import { dataOf, dataText, messageOf, messageText, POINTED_CHARS } from "../../src/store/sqlite-texts.ts";
import type { Pointed } from "../../src/store/sqlite-texts.ts";

const LONG = "A long answer. ".repeat(20);
const noRow = (): never => {
  throw new Error("no row");
};
const event = (type: string, data: unknown): NewEvent => ({ type, data }) as unknown as NewEvent;

/** Writes and reads again. */
function through(given: NewEvent, rows: readonly Pointed[] = []): { text: string | null; data: unknown } {
  const text = dataText(given, rows);
  const rowAt = (index: number): Message => rows.find((row) => row.index === index)?.message ?? noRow();
  return { text, data: dataOf(given.type, text, rowAt) };
}

describe("the data of an event", () => {
  it.each([
    ["task.started", {}, null],
    ["turn.started", { messages: 4 }, "[4]"],
    ["task.progressed", { percent: null, note: "ha[l]f", partial: { a: [1] } }, '[null,"ha[l]f",{"a":[1]}]'],
    [
      "run.failed",
      { code: "x", message: "y", retryInMs: null },
      '{"code":"x","message":"y","retryInMs":null}',
    ],
    ["task.invented", { some: "thing" }, '{"some":"thing"}'],
  ])("of %s is short where it can be, and comes back", (type, data, text) => {
    expect(through(event(type, data))).toEqual({ text, data });
  });

  it.each([[{ messages: 4, more: 1 }], [{ other: 4 }], [{}], [{ messages: undefined }]])(
    "X1 of %j is written in full when the keys are not those of its type",
    (data) => {
      const { text, data: read } = through(event("turn.started", data));
      expect(text === null || text.startsWith("{")).toBe(true);
      expect(JSON.stringify(read)).toBe(JSON.stringify(data));
    },
  );

  it("X1 keeps the order of keys, whatever it is", () => {
    const given = { tool: "read", callId: "c1", cause: "answered" };
    expect(JSON.stringify(through(event("tool.resumed", given)).data)).toBe(JSON.stringify(given));
  });

  it("points at the row that has the same text, and only at that", () => {
    const rows = [
      { index: 9, message: textMessage("assistant", "model", `${LONG}!`) },
      { index: 8, message: textMessage("assistant", "model", LONG) },
    ];
    const answer = event("answer.finished", { text: LONG });
    expect(through(answer, rows)).toEqual({ text: "@8", data: answer.data });
    expect(through(answer, rows.slice(0, 1)).text).toBe(JSON.stringify([LONG]));
    const short = event("answer.finished", { text: "x".repeat(POINTED_CHARS - 1) });
    const row = { index: 1, message: textMessage("assistant", "model", "x".repeat(POINTED_CHARS - 1)) };
    expect(through(short, [row]).text).toMatch(/^\["x/);
  });

  it("points at the call that has the same input, and only at that", () => {
    const call = { id: "c2", name: "write_file", arguments: { path: "a", text: LONG } };
    const message: Message = {
      role: "assistant",
      origin: "model",
      parts: [
        { type: "text", text: "So be it." },
        { type: "tool_call", call: { ...call, id: "c1" } },
        { type: "tool_call", call },
      ],
    };
    const requested = (input: unknown): NewEvent =>
      event("tool.requested", { callId: "c2", tool: "write_file", input });
    const rows = [{ index: 3, message }];
    expect(through(requested(call.arguments), rows)).toEqual({
      text: "@3.1",
      data: requested(call.arguments).data,
    });
    expect(through(requested({ ...call.arguments, path: "b" }), rows).text).toMatch(/^\["c2"/);
  });
});

describe("a message", () => {
  it("of one text is that text, with two digits before it", () => {
    expect(messageText(textMessage("user", "goal", '{"a":\n1}'))).toBe('10{"a":\n1}');
  });

  it("with parts that are known is their values", () => {
    const call = { id: "c1", name: "x", arguments: { a: null } };
    const message: Message = {
      role: "assistant",
      origin: "model",
      parts: [
        { type: "thinking", text: "hm" },
        { type: "text", text: "So." },
        { type: "tool_call", call },
        { type: "tool_result", callId: "c1", name: "x", text: "1\n2", isError: true },
      ],
    };
    const written = messageText(message);
    expect(written).toBe('[2,4,[0,"hm"],"So.",[1,"c1","x",{"a":null}],[2,"c1","x","1\\n2",true]]');
    expect(JSON.stringify(messageOf(written))).toBe(JSON.stringify(message));
    expect(messageOf(messageText({ ...message, parts: [] }))).toEqual({ ...message, parts: [] });
  });

  it("X1 that has more to it, or less, is written in full", () => {
    const call = { id: "c1", name: "x", arguments: {} };
    const messages: readonly Message[] = [
      { ...textMessage("assistant", "model", "half"), interrupted: true },
      {
        role: "assistant",
        origin: "model",
        parts: [{ type: "tool_call", call: { ...call, malformed: "{" } }],
      },
      {
        role: "assistant",
        origin: "model",
        parts: [{ type: "tool_call", call: { ...call, arguments: undefined } }],
      },
      { role: "assistant", origin: "model", parts: [{ type: "image", url: "x" } as never] },
      { parts: [{ type: "text", text: "another order" }], role: "user", origin: "person" },
      textMessage("user", "someone" as "person", "hello"),
    ];
    for (const message of messages) {
      expect(messageText(message)).toBe(JSON.stringify(message));
      expect(JSON.stringify(messageOf(messageText(message)))).toBe(JSON.stringify(message));
    }
  });

  it("comes back, whatever its text is", () => {
    expect.hasAssertions();
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.constantFrom("\0", "a\0b", "\ud800", "@1", ""),
    );
    const property = fc.property(texts, (text) => {
      const message = textMessage("tool", "summary", text);
      const written = messageText(message);
      expect(messageOf(written)).toEqual(message);
      expect(written.isWellFormed() && !written.includes("\0")).toBe(true);
    });
    fc.assert(property);
  });
});
