import { describe, expect, test } from "vitest";
import type { TroupeApi } from "../../../src/core/api.ts";
import { RecordingApi } from "../../../src/cli/replay/recording-api.ts";
import { recorded } from "./recordings.ts";

async function opened() {
  const found = await recorded();
  return { ...found, replayed: new RecordingApi(found.recording) };
}

test("answers what looks as the box did, at its end", async () => {
  const { api, replayed, parent, child } = await opened();
  const { tail: _, ...view } = await replayed.check(child);
  expect(await api.check(child)).toMatchObject(view);
  expect((await replayed.list()).items.map(({ taskId }) => taskId)).toEqual([parent, child]);
  expect(
    (await replayed.list({ parentId: parent, state: "done", kind: "task", rootId: parent })).items,
  ).toHaveLength(1);
  const first = await replayed.list({ limit: 1 });
  expect(first.items).toHaveLength(1);
  expect((await replayed.list({ limit: 1, cursor: first.nextCursor ?? "" })).items[0]?.taskId).toBe(child);
  expect(await replayed.collect(child)).toMatchObject({
    finished: true,
    state: "done",
    result: "the child's answer",
  });
  expect(await replayed.tree(child)).toMatchObject([{ taskId: child, state: "done" }]);
  expect(await replayed.status()).toMatchObject({
    tasks: { done: 2, running: 0 },
    recordedAt: replayed.recording.madeAt,
  });
  expect((await replayed.machine("agent")).name).toBe("agent");
  expect([await replayed.gpus(), await replayed.providers()]).toEqual([[], []]);
  for (const missing of [replayed.check("task_none"), replayed.tree("task_none"), replayed.machine("none")])
    await expect(missing).rejects.toThrow(expect.objectContaining({ kind: "not_found" }));
});

test("stands where it is told, with the messages that were there then", async () => {
  const { replayed, recording, child } = await opened();
  replayed.standAt(
    recording.events.findIndex(({ type, taskId }) => type === "task.progressed" && taskId === child) + 1,
  );
  expect(await replayed.check(child)).toMatchObject({ state: "running", tail: ["goal> child"] });
  expect(await replayed.collect(child)).toMatchObject({ finished: false, result: null });
  replayed.standAt(Infinity);
  expect(replayed.at).toBe(recording.events.length);
  expect(await replayed.check(child)).toMatchObject({
    state: "done",
    tail: ["goal> child", "the child's answer"],
  });
  replayed.standAt(-5);
  expect([replayed.at, await replayed.tree()]).toEqual([0, []]);
});

test("events and messages come in pages, and as a stream that stays open without news", async () => {
  const { replayed, recording, child } = await opened();
  const first = await replayed.history({ limit: 2 });
  const rest = await replayed.history({ after: Number(first.nextCursor) });
  expect([...first.items, ...rest.items]).toEqual(recording.events);
  expect(rest.nextCursor).toBe(null);
  const rows = await replayed.transcript(child, { limit: 1 });
  expect((await replayed.transcript(child, { after: Number(rows.nextCursor) })).items).toHaveLength(1);
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const frame of replayed.events({ after: 0, taskId: child, signal: stop.signal })) {
    if (frame.kind !== "event") continue;
    seen.push(frame.event.cursor);
    if (frame.event.type === "task.done") stop.abort();
  }
  expect(seen).toEqual(recording.events.filter(({ taskId }) => taskId === child).map(({ cursor }) => cursor));
});

describe("A1 nothing can be done in it", () => {
  test.each<[keyof TroupeApi, (api: TroupeApi) => Promise<unknown>]>([
    ["delegate", (api) => api.delegate({ goal: "x" })],
    ["delegateBatch", (api) => api.delegateBatch([])],
    ["steer", (api) => api.steer("x", { message: "x" })],
    ["cancel", (api) => api.cancel("x")],
    ["createSession", (api) => api.createSession()],
    ["sendMessage", (api) => api.sendMessage("x", { text: "x" })],
    ["stopSession", (api) => api.stopSession("x")],
    ["closeSession", (api) => api.closeSession("x")],
    ["answer", (api) => api.answer("x", { text: "x" })],
    ["reportProgress", (api) => api.reportProgress("x", {})],
    ["pause", (api) => api.pause(true)],
    ["switchKey", (api) => api.switchKey("x", true)],
  ])("%s is refused", async (_, call) => {
    const { replayed } = await opened();
    await expect(call(replayed)).rejects.toThrow(
      expect.objectContaining({ kind: "conflict", code: "recording" }),
    );
  });
});
