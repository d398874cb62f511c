import { expect, test } from "vitest";
import type { StoredEvent } from "../../../src/core/event.ts";
import { RecordedTasks, treesOf } from "../../../src/cli/replay/state-at.ts";
import { recorded } from "./recordings.ts";

test("tasks appear when they were spawned, and are where their events say", async () => {
  const { recording, parent, child } = await recorded();
  const { events } = recording;
  const tasks = new RecordedTasks(recording);
  const at = (count: number) => tasks.at(count);
  const after = (type: StoredEvent["type"], taskId: string): number =>
    1 + events.findIndex((event) => event.type === type && event.taskId === taskId);
  expect(treesOf(at(0))).toEqual([]);
  expect(treesOf(at(1))).toMatchObject([
    {
      taskId: parent,
      state: "spawned",
      startedAt: null,
      finishedAt: null,
      children: [],
      lastLine: "spawned as default on canned-1",
    },
  ]);
  const [atWork] = treesOf(at(after("task.progressed", child)));
  expect(atWork).toMatchObject({ state: "running", children: [{ taskId: child, state: "running" }] });
  expect(atWork?.children[0]?.progress).toMatchObject({ percent: 40, note: "reading" });
  const [done] = treesOf(at(after("task.done", child)));
  expect(done).toMatchObject({ state: "running", finishedAt: null, children: [{ state: "done" }] });
  expect(treesOf(at(events.length))).toMatchObject([{ state: "done" }]);
  expect(treesOf(at(events.length), child)).toMatchObject([{ taskId: child }]);
});

test("a model that it changed to, tokens and tools count from their events on", async () => {
  const { recording, child } = await recorded();
  const [first] = recording.events.filter(({ taskId }) => taskId === child);
  const event = (cursor: number, type: StoredEvent["type"], data: object): StoredEvent =>
    ({ ...first, cursor, seq: cursor, type, data, state: "running", phase: "generating" }) as StoredEvent;
  const events = [
    first as StoredEvent,
    event(101, "turn.finished", { reason: "stop", toolCalls: 1, promptTokens: 7, outputTokens: 3 }),
    event(102, "tool.finished", { callId: "1", tool: "t", isError: false, chars: 1, ms: 1 }),
    event(103, "task.rerouted", { from: "a/b", to: "cloud/big/model", code: "x", reason: "y" }),
    event(104, "lease.requested", { backend: "x", class: "background" }),
  ];
  const past = new RecordedTasks({ ...recording, events }).at(4).get(child);
  expect(past?.view).toMatchObject({
    usage: { promptTokens: 7, outputTokens: 3, toolCalls: 1, generations: 1 },
    model: { provider: "cloud", model: "big/model" },
  });
});

test("a task whose events are not kept is as its view says", async () => {
  const { recording, parent } = await recorded();
  const [tree] = treesOf(new RecordedTasks({ ...recording, events: [] }).at(0));
  expect(tree).toMatchObject({ taskId: parent, state: "done" });
});
