// What a real scheduler shows of those who wait, and what is counted of what models write.

import { describe, expect, it } from "vitest";
import { hang } from "../../../providers/script.ts";
import type { GpuView } from "../../../src/core/box-api.ts";
import { toWire, type Wire } from "../../../src/core/wire.ts";
import { newForest, type Item, type StoredEvent } from "../../../web/model/forest.js";
import { needsOf, ratesOf, waitsOf, writtenBy } from "../../../web/model/waits.js";
import { rig } from "../../runtime/rig.ts";

describe("who waits", () => {
  it("is known by task, with position and reason", async () => {
    const box = rig({ reply: () => [hang()] });
    const first = await box.api.delegate({ goal: "one" });
    const second = await box.api.delegate({ goal: "two" });
    await box.clock.advance(100);
    const waits = waitsOf(toWire(await box.api.gpus()) as Wire<GpuView>[]);
    expect(waits.has(first.taskId)).toBe(false);
    expect(waits.get(second.taskId)).toMatchObject({ position: 1, class: "background", wants: "lease" });
    expect(waits.get(second.taskId)?.reason).toMatch(/slot/);
  });
});

describe("what needs a person", () => {
  const item = (id: string, rest: Partial<Item>): [string, Item] => [
    id,
    {
      id,
      kind: "task",
      state: "running",
      phase: null,
      parentId: null,
      changedAt: 0,
      finishedAt: null,
      ...rest,
    } as Item,
  ];

  it("is who asks, longest first, and whose root failed lately, newest first", () => {
    const forest = newForest();
    forest.items = new Map([
      item("late", { phase: "waiting_input", changedAt: 20 }),
      item("early", { phase: "waiting_input", changedAt: 10 }),
      item("conversation", { kind: "session", phase: "waiting_input", waitsFor: "a person" }),
      item("may I", {
        kind: "session",
        phase: "waiting_input",
        waitsFor: "a person: Allow it?",
        changedAt: 30,
      }),
      item("works", { phase: "generating" }),
      item("old", { state: "failed", finishedAt: 50 }),
      item("first", { state: "failed", finishedAt: 110 }),
      item("second", { state: "failed", finishedAt: 120 }),
      item("child", { state: "failed", finishedAt: 120, parentId: "works" }),
    ]);
    const { asking, failed } = needsOf(forest, 100);
    expect([asking, failed].map((list) => list.map(({ id }) => id))).toEqual([
      ["early", "late", "may I"],
      ["second", "first"],
    ]);
  });
});

describe("how fast models write", () => {
  it("is what turns wrote over the last minute, by model", () => {
    const forest = newForest();
    forest.items.set("t", { model: "m" } as Item);
    const event = (type: string, data: object) =>
      ({ type, task_id: "t", time: 70_000, data }) as unknown as StoredEvent;
    expect(writtenBy(forest, event("turn.started", { output_tokens: 5 }))).toBeNull();
    const written = writtenBy(forest, event("turn.finished", { output_tokens: 300 }));
    expect(written).toEqual({ time: 70_000, model: "m", tokens: 300 });
    if (written === null) return;
    const { recent, rates } = ratesOf([{ ...written, time: 5_000 }, written, written], 80_000);
    expect([recent.length, rates.get("m")]).toEqual([2, 10]);
    expect(ratesOf(recent, 200_000).rates.size).toBe(0);
  });
});
