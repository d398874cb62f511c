import { expect, test } from "vitest";
import type { StoredEvent } from "../../../src/core/event.ts";
import { patched } from "../../../src/cli/top/patches.ts";
import { DONE, nodeOf, NOW } from "./nodes.ts";

const event = (taskId: string, rest: Partial<StoredEvent>): readonly [string, StoredEvent] => [
  taskId,
  { taskId, state: "running", phase: "generating", time: NOW, ...rest } as StoredEvent,
];

const child = nodeOf("b", {
  state: "spawned",
  phase: "queued",
  queuePosition: 3,
  waitsFor: "a place",
  startedAt: null,
});
const tree = [nodeOf("a", { children: [child] }), nodeOf("c")];

test("an event says where its task is now, and takes away why it waited before", () => {
  const [root, other] = patched(tree, new Map([event(child.taskId, {})]));
  expect(root?.children[0]).toMatchObject({
    state: "running",
    phase: "generating",
    queuePosition: null,
    waitsFor: null,
  });
  expect(root?.children[0]).toMatchObject({ startedAt: NOW, finishedAt: null });
  expect(other).toBe(tree[1]);
});

test("an end is kept with its time, and nothing comes after it", () => {
  const ended = patched(tree, new Map([event(child.taskId, { state: "failed", phase: null })]));
  expect(ended[0]?.children[0]).toMatchObject({ state: "failed", finishedAt: NOW });
  const late = [nodeOf("d", DONE)];
  expect(patched(late, new Map([event(late[0]?.taskId ?? "", {})]))).toBe(late);
});

test("what tells nothing new leaves the same trees", () => {
  expect(patched(tree, new Map())).toBe(tree);
  expect(patched(tree, new Map([event("task_elsewhere", {}), event(tree[1]?.taskId ?? "", {})]))).toBe(tree);
});
