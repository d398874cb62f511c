import { expect, it } from "vitest";
import type { EventFrame, StoredEvent } from "../../src/core/event.ts";
import { batchOf, encodeFrame, FrameWindow } from "../../src/http/frame-window.ts";

const NONE: ReadonlySet<string> = new Set();
const ALL = { has: () => true };

function event(cursor: number, taskId: string): EventFrame {
  return { kind: "event", event: { cursor, taskId, parentId: null } as StoredEvent };
}

function delta(taskId: string, text: string, channel: "text" | "thinking" = "text"): EventFrame {
  return { kind: "delta", taskId, channel, text };
}

function windowOf(...frames: readonly EventFrame[]): FrameWindow {
  const window = new FrameWindow(0);
  for (const frame of frames) window.add(frame);
  return window;
}

const read = (text: string | null): unknown => (text === null ? null : JSON.parse(text));

it("writes frames in the wire's words", () => {
  expect(read(encodeFrame(event(1, "a")))).toEqual({
    kind: "event",
    event: { cursor: 1, task_id: "a", parent_id: null },
  });
  expect(read(encodeFrame(delta("a", "x")))).toEqual({
    kind: "delta",
    task_id: "a",
    channel: "text",
    text: "x",
  });
  expect(read(batchOf([encodeFrame({ kind: "gap", after: 1, before: null })]))).toEqual([
    { kind: "gap", after: 1, before: null },
  ]);
});

it("gives everybody the same text, without deltas", () => {
  const window = windowOf(event(1, "a"), delta("a", "x"), event(2, "b"));
  expect(read(window.shared())).toMatchObject([{ event: { cursor: 1 } }, { event: { cursor: 2 } }]);
  expect(window.shared()).toBe(window.shared());
  window.add(event(3, "a"));
  expect(read(window.shared())).toHaveLength(3);
  expect(windowOf(delta("a", "x")).shared()).toBeNull();
});

it("B1 joins deltas of one task and channel that nothing of that task stands between", () => {
  const window = windowOf(
    delta("a", "1"),
    event(1, "b"),
    delta("b", "-"),
    delta("a", "2"),
    event(2, "a"),
    delta("a", "3"),
    delta("a", "?", "thinking"),
    delta("a", "4"),
  );
  const frames = read(window.batch({ from: 0, after: 0, wanted: new Set(["a"]) })) as readonly {
    readonly text?: string;
    readonly event?: { readonly cursor: number };
  }[];
  expect(frames.map((frame) => frame.text ?? frame.event?.cursor)).toEqual(["12", 1, 2, "3", "?", "4"]);
});

it("B2 leaves out what somebody has already", () => {
  const window = windowOf(event(1, "a"), delta("a", "x"), event(2, "a"), {
    kind: "gap",
    after: 2,
    before: 9,
  });
  expect(read(window.batch({ from: 2, after: 0, wanted: ALL }))).toHaveLength(2);
  expect(read(window.batch({ from: 0, after: 2, wanted: NONE }))).toMatchObject([{ kind: "gap" }]);
  expect(windowOf(event(1, "a")).batch({ from: 0, after: 1, wanted: ALL })).toBeNull();
  expect(windowOf(delta("a", "x")).batch({ from: 0, after: 0, wanted: NONE })).toBeNull();
});

it("counts what it holds", () => {
  const window = windowOf(delta("a", "12345"), event(1, "a"));
  expect([window.size, window.chars > 5]).toEqual([2, true]);
});
