// Waiting for what happened: on conditions over the record, never on time.

import { describe, expect, it } from "vitest";
import { DemoWatch } from "../../src/cli/demo-watch.ts";
import { PushQueue } from "../../src/base/stream.ts";
import type { TaskApi } from "../../src/core/api.ts";
import type { EventFrame } from "../../src/core/event.ts";
import { recordAt, spawned } from "./demo-events.ts";

function watched() {
  const frames = new PushQueue<EventFrame>(100);
  const stop = new AbortController();
  const record = recordAt(() => 0);
  const watch = new DemoWatch(record, stop.signal);
  const api = { events: () => frames } as unknown as TaskApi;
  return { frames, stop, record, watch, following: watch.follow(api) };
}

describe("DemoWatch", () => {
  it("W1 ends a wait when what it waits for has happened, and not before", async () => {
    const { frames, record, watch } = watched();
    const met = watch.until(() => record.children.length === 2).then(() => record.children.length);
    frames.push(spawned("task_1"));
    frames.push(spawned("task_2"));
    expect(await met).toBe(2);
    await watch.until(() => true);
  });

  it("W1 ends a wait with the reason of the signal", async () => {
    const { stop, watch } = watched();
    const met = watch.until(() => false);
    stop.abort(new Error("It took too long."));
    await expect(met).rejects.toThrow("It took too long.");
    await expect(watch.until(() => false)).rejects.toThrow("It took too long.");
  });

  it("W1 ends every wait, also a later one, when the stream lost events", async () => {
    const { frames, watch, following } = watched();
    const refused = watch.until(() => false).catch((error: unknown) => error);
    frames.push({ kind: "gap", after: 1, before: 5 });
    expect(await refused).toMatchObject({ code: "demo_gap" });
    await following;
    await expect(watch.until(() => false)).rejects.toMatchObject({ code: "demo_gap" });
  });

  it("shows each frame before anybody is woken by it", async () => {
    const { frames, record, watch } = watched();
    const seen: (readonly [string, number])[] = [];
    watch.onFrame(({ kind }) => seen.push([kind, record.children.length]));
    const met = watch.until(() => record.children.length === 1);
    frames.push(spawned("task_1"));
    await met;
    expect(seen).toEqual([["event", 0]]);
  });

  it("tells listeners of each change, also of those that are no event", () => {
    const { watch } = watched();
    let calls = 0;
    watch.onChange(() => calls++);
    watch.changed();
    expect(calls).toBe(1);
  });
});
