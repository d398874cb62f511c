import { describe, expect, it } from "vitest";
import type { EventData, EventType, StoredEvent } from "../../../src/core/event.ts";
import { toWire, type Wire } from "../../../src/core/wire.ts";
import { blankItem, change, itemOfEvent, questionIn } from "../../../web/model/item.js";

function event<T extends EventType>(seq: number, type: T, data: EventData[T]): Wire<StoredEvent> {
  const place = { storeId: "s", cursor: seq, seq, taskId: "task_a", parentId: null, rootId: "task_a" };
  const rest = {
    sessionId: null,
    run: 1,
    turn: 1,
    state: "running",
    phase: "generating",
    version: 1,
  } as const;
  return toWire({ ...place, ...rest, time: seq * 1_000, traceparent: "", type, data } as StoredEvent);
}

const SPAWNED = event(1, "task.spawned", { goal: "g", agent: "child", model: "box/hf.co/a/b:q4", depth: 0 });

describe("a task by its events", () => {
  it("has its model's own name, with or without the one who serves it in front", () => {
    const item = itemOfEvent(SPAWNED);
    change(item, SPAWNED);
    expect([item.provider, item.model]).toEqual(["box", "hf.co/a/b:q4"]);
    const moved = { from: "box/a on one", to: "box/a on two", code: "freer_backend", reason: "" };
    change(item, event(2, "task.rerouted", moved));
    expect([item.provider, item.model]).toEqual(["box", "a"]);
    change(item, event(3, "task.rerouted", { ...moved, to: "cloud/big/model" }));
    expect([item.provider, item.model]).toEqual(["cloud", "big/model"]);
  });

  it("counts a tool when it has answered, as budgets do, and says its name from when it was asked", () => {
    const item = blankItem("task_a");
    change(item, event(1, "tool.requested", { callId: "1", tool: "read_file", input: {} }));
    expect([item.toolCalls, item.note]).toEqual([0, "read_file"]);
    change(
      item,
      event(2, "tool.finished", { callId: "1", tool: "read_file", isError: false, chars: 1, ms: 1 }),
    );
    expect(item.toolCalls).toBe(1);
  });

  it("says what a person is asked, until the call goes on", () => {
    const item = blankItem("task_a");
    const asked = { callId: "1", tool: "t", waitsFor: "input", taskIds: [], prompt: "May I?" };
    change(item, event(1, "tool.suspended", asked));
    expect(item.waitsFor).toBe("a person: May I?");
    expect([item.waitsFor, "a person", "2 living children", null].map(questionIn)).toEqual([
      "May I?",
      null,
      null,
      null,
    ]);
    change(item, event(1, "tool.suspended", { ...asked, asks: "parent" }));
    expect([item.waitsFor, questionIn(item.waitsFor)]).toEqual(["its parent or a person: May I?", "May I?"]);
    change(item, event(2, "tool.resumed", { callId: "1", tool: "t", cause: "satisfied" }));
    expect(item.waitsFor).toBeNull();
    change(item, event(3, "tool.suspended", { callId: "2", tool: "t", waitsFor: "children", taskIds: [] }));
    expect(item.waitsFor).toBeNull();
  });

  it("has the progress that was reported last, as a whole", () => {
    const item = blankItem("task_a");
    change(item, event(1, "task.progressed", { percent: 40, note: "reading", partial: { aB: 1 } }));
    change(item, event(2, "task.progressed", { percent: null, note: null, partial: null }));
    expect(item).toMatchObject({
      note: "reading",
      progress: { percent: null, note: null, partial: null, time: 2_000 },
    });
  });

  it("says whether it moved", () => {
    const item = blankItem("task_a");
    expect(change(item, SPAWNED)).toBe(true);
    expect(change(item, event(2, "tool.requested", { callId: "1", tool: "t", input: {} }))).toBe(false);
  });
});
