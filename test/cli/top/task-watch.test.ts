import { expect, test } from "vitest";
import { TaskWatch } from "../../../src/cli/top/task-watch.ts";
import type { EventFrame } from "../../../src/core/event.ts";
import { PushQueue } from "../../../src/base/stream.ts";
import { SimulatedClock } from "../../../src/base/clock.ts";
import { CannedApi } from "../../http/canned-api.ts";

async function rig() {
  const clock = new SimulatedClock();
  const canned = new CannedApi({ clock });
  const { taskId } = await canned.delegate({ goal: "write" });
  const frames = new PushQueue<EventFrame>(10_000);
  let tail: readonly string[] = ["before"];
  const api = {
    check: async (id: string) => ({ ...(await canned.check(id)), tail }),
    events: () => frames,
  };
  let changes = 0;
  const watch = new TaskWatch({ api, clock, taskId, onChange: () => void (changes += 1) });
  const write = (text: string, channel: "text" | "thinking" = "text"): void =>
    frames.push({ kind: "delta", taskId, channel, text });
  return {
    clock,
    canned,
    taskId,
    watch,
    write,
    frames,
    changes: () => changes,
    setTail: (next: readonly string[]) => void (tail = next),
  };
}

test("shows what the box kept until something streams, then what streams under it", async () => {
  const { clock, watch, write, setTail, changes } = await rig();
  expect([watch.view, watch.output]).toEqual([null, []]);
  await clock.advance(0);
  expect(watch.output).toEqual(["before"]);
  setTail(["before", "kept"]);
  await clock.advance(1_000);
  write("one\ntw");
  write("thoughts", "thinking");
  write("o");
  setTail(["before", "kept", "one"]);
  await clock.advance(1_000);
  expect(watch.output).toEqual(["before", "kept", "one", "two"]);
  expect(changes()).toBeGreaterThan(3);
  watch.close();
});

test("what happens to the task stands on lines of its own, and what was missed is said", async () => {
  const { canned, clock, frames, taskId, watch, write } = await rig();
  await clock.advance(0);
  write("half");
  canned.start(taskId);
  for await (const frame of canned.events({ after: 0 })) {
    frames.push(frame);
    if (frame.kind === "event" && frame.event.type === "task.started") break;
  }
  frames.push({ kind: "gap", after: 3, before: 5 });
  await clock.advance(0);
  expect(watch.output.slice(1)).toEqual([
    "half",
    expect.stringMatching(/^· .* spawned as default/),
    expect.stringMatching(/^· .* started$/),
    "· Some of what happened was missed.",
  ]);
  watch.close();
});

test("W2 what is kept is bounded, and a line without an end is many", async () => {
  const { clock, watch, write } = await rig();
  await clock.advance(0);
  write("x".repeat(10_000_000));
  await clock.advance(0);
  expect(watch.output.length).toBeLessThan(2_100);
  expect(Math.max(...watch.output.map((line) => line.length))).toBe(500);
  watch.close();
});

test("a task that cannot be asked for says why, and closing ends it", async () => {
  const clock = new SimulatedClock();
  const api = new CannedApi({ clock });
  const watch = new TaskWatch({ api, clock, taskId: "task_none", onChange: () => {} });
  await clock.advance(1_000);
  expect(watch.trouble).toMatch(/task_none/);
  watch.close();
  await clock.advance(5_000);
  expect(clock.pending).toBe(0);
});
