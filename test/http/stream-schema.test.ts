import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { toWire } from "../../src/core/wire.ts";
import { deltaData, frameData, gapData, storedEvent, transcriptPage } from "../../src/http/stream-schema.ts";
import { CannedApi } from "./canned-api.ts";

describe("stream schemas", () => {
  it("fit events and transcript rows exactly", async () => {
    const api = new CannedApi({ clock: new SimulatedClock() });
    const { taskId } = await api.delegate({ goal: "walk" });
    api.finish(taskId, "arrived");
    api.log.end();
    let count = 0;
    for await (const frame of api.events({ after: 0 })) {
      if (frame.kind !== "event") continue;
      const wire: unknown = toWire(frame.event);
      expect(storedEvent.parse(wire)).toEqual(wire);
      expect(frameData.safeParse(wire).success).toBe(true);
      count += 1;
    }
    expect(count).toBe(3);
    const page: unknown = toWire(await api.transcript(taskId));
    expect(transcriptPage.parse(page)).toEqual(page);
  });

  it("fit every part of a message", () => {
    const parts = [
      { type: "text", text: "a" },
      { type: "thinking", text: "b" },
      { type: "tool_call", call: { id: "c", name: "read", arguments: { anyCase: 1 } } },
      { type: "tool_call", call: { id: "c", name: "read", arguments: null, malformed: "{" } },
      { type: "tool_result", call_id: "c", name: "read", text: "d", is_error: false },
    ];
    const row = { task_id: "t", index: 1, seq: 1, run: 1, turn: 1, time: 1 };
    const page = { items: [{ ...row, message: { role: "tool", origin: "tool", parts } }], next_cursor: null };
    expect(transcriptPage.parse(page)).toEqual(page);
  });

  it("fit deltas and gaps", () => {
    expect(deltaData.safeParse({ task_id: "t", channel: "text", text: "a" }).success).toBe(true);
    expect(gapData.safeParse({ after: 1, before: null }).success).toBe(true);
    expect(gapData.safeParse({ after: 1 }).success).toBe(false);
  });
});
