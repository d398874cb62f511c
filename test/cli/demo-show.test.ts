// Showing: what reaches the terminal or the pipe, byte by byte.

import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { LiveShow, PlainShow, type ShowOptions } from "../../src/cli/demo-show.ts";
import { DemoWatch } from "../../src/cli/demo-watch.ts";
import type { Line } from "../../src/cli/printer.ts";
import type { TaskApi } from "../../src/core/api.ts";
import { delta, event, recordAt } from "./demo-events.ts";

function stage() {
  const clock = new SimulatedClock();
  const stop = new AbortController();
  const record = recordAt(() => clock.now());
  const watch = new DemoWatch(record, stop.signal);
  const room = { columns: 80, rows: 24 };
  const writes: string[] = [];
  const options: ShowOptions = {
    box: { title: "SIMULATED box", server: "GPU" },
    api: { tree: () => Promise.resolve([]) } as unknown as TaskApi,
    record,
    watch,
    clock,
    terminal: { columns: () => room.columns, rows: () => room.rows },
    render: (line: Line) =>
      typeof line === "string"
        ? line
        : line.map((span) => (typeof span === "string" ? span : span[1])).join(""),
    outage: () => null,
    write: (text) => void writes.push(text),
  };
  return { clock, stop, record, watch, room, writes, options };
}

describe("LiveShow", () => {
  it("V1 draws each frame over the one before, anew after a resize, and gives the cursor back", async () => {
    const { clock, stop, room, writes, options } = stage();
    const show = new LiveShow(options);
    const running = show.run(stop.signal);
    await clock.advance(100);
    expect(writes[0]).toBe("\u001b[?25l");
    expect(writes[1]?.split("\n")).toHaveLength(24);
    expect(writes[2]?.startsWith("\u001b[23A\r")).toBe(true);
    room.columns = 60;
    await clock.advance(100);
    expect(writes[3]?.startsWith("\u001b[2J\u001b[H")).toBe(true);
    stop.abort(new Error("over"));
    await running;
    await show.end();
    expect(writes.at(-1)).toBe("\u001b[?25h");
    expect(clock.pending).toBe(0);
  });
});

describe("LiveShow, while nobody answers", () => {
  it("V3 goes on with frames, and says so", async () => {
    const { clock, stop, writes, options } = stage();
    const api = { tree: () => new Promise(() => {}) } as unknown as TaskApi;
    const show = new LiveShow({ ...options, api, outage: () => "nobody answers" });
    const running = show.run(stop.signal);
    await clock.advance(1_000);
    expect(writes.length).toBeGreaterThanOrEqual(5);
    stop.abort(new Error("over"));
    await clock.advance(100);
    await running;
    expect(clock.pending).toBe(0);
  });
});

describe("PlainShow", () => {
  it("V2 writes every entry once, when it is finished, in the order in which they are", async () => {
    const { stop, record, watch, writes, options } = stage();
    const show = new PlainShow(options);
    await show.run(stop.signal);
    record.said("Hello");
    watch.changed();
    record.apply(delta("Hel"));
    record.note("a task came back");
    watch.changed();
    record.apply(event("answer.finished", { text: "Hello you." }));
    watch.changed();
    await show.end();
    const lines = writes.join("").split("\n").slice(3, -1);
    expect(lines).toEqual(["you     Hello", "     ·  a task came back", "parent  Hello you."]);
    expect(writes.join("")).not.toContain("\u001b");
  });
});
