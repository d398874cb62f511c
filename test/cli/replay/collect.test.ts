import { expect, test } from "vitest";
import { collectRecording } from "../../../src/cli/replay/collect.ts";
import { recorded } from "./recordings.ts";

test("a tree has its tasks, their events and messages, and its machine; nothing of other trees", async () => {
  const { recording, parent, child, other } = await recorded();
  expect(recording).toMatchObject({ format: "troupe-recording", version: 1, rootId: parent });
  expect(new Set(recording.events.map(({ taskId }) => taskId))).toEqual(new Set([parent, child]));
  expect(recording.events.map(({ type }) => type).filter((type) => type === "task.done")).toHaveLength(2);
  expect(new Set(recording.transcripts.map(({ taskId }) => taskId))).toEqual(new Set([parent, child]));
  expect(recording.machines.map(({ name }) => name)).toEqual(["agent"]);
  expect(JSON.stringify(recording)).not.toContain(other);
});

test("one task has nothing of those below it, and a part of a tree nothing of those above", async () => {
  const { api, parent, child } = await recorded();
  const alone = await collectRecording(api, { taskId: parent, whole: false, now: 0 });
  expect(alone.tasks.map(({ taskId }) => taskId)).toEqual([parent]);
  expect(new Set(alone.events.map(({ taskId }) => taskId))).toEqual(new Set([parent]));
  const below = await collectRecording(api, { taskId: child, whole: true, now: 0 });
  expect(below.tasks.map(({ taskId }) => taskId)).toEqual([child]);
  expect(new Set(below.events.map(({ taskId }) => taskId))).toEqual(new Set([child]));
});

test("more events than a page are all there", async () => {
  const { api, parent: _, other } = await recorded();
  api.start(other);
  for (let at = 0; at < 500; at += 1) await api.reportProgress(other, { percent: at % 100 });
  const { events } = await collectRecording(api, { taskId: other, whole: false, now: 0 });
  expect(events).toHaveLength(502);
  await expect(collectRecording(api, { taskId: "task_none", whole: true, now: 0 })).rejects.toThrow(
    expect.objectContaining({ code: "task_not_found" }),
  );
});
