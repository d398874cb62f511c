import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { SimulatedClock } from "../../src/base/clock.ts";
import { fromWire, toWire } from "../../src/core/wire.ts";
import * as views from "../../src/http/view-schema.ts";
import { CannedApi } from "./canned-api.ts";

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

async function busyBox() {
  const api = new CannedApi({ clock: new SimulatedClock() });
  const session = await api.createSession();
  const child = await api.delegate({ goal: "child", parentId: session.taskId, toolsets: ["file"] });
  await api.steer(child.taskId, { message: "faster" });
  await api.reportProgress(child.taskId, { percent: 5, note: "n", partial: { innerKey: [1] } });
  const failed = await api.delegate({ goal: "fails" });
  api.fail(failed.taskId, "timeout", "Too slow.");
  return { api, session, child, failed };
}

describe("view schemas", () => {
  it("fit every view exactly, and the wire form comes back as the view", async () => {
    const { api, child, failed } = await busyBox();
    const pairs: [z.ZodType, unknown][] = [
      [views.taskHandle, child],
      [views.handleList, { items: [child, failed] }],
      [views.taskView, await api.check(child.taskId)],
      [views.taskView, await api.check(failed.taskId)],
      [views.taskResult, await api.collect(failed.taskId)],
      [views.taskPage, await api.list()],
      [views.treeList, { items: await api.tree() }],
      [views.gpuList, { items: await api.gpus() }],
      [views.providerList, { items: await api.providers() }],
      [views.machineView, await api.machine("agent")],
      [views.boxStatus, await api.status()],
      [views.steerReceipt, await api.steer(child.taskId, { message: "x", interrupt: true })],
      [views.cancelReceipt, await api.cancel(child.taskId)],
      [views.keyList, { items: await api.switchKey("0123456789ab", true) }],
      [views.pauseView, await api.pause(true)],
      [views.healthView, { ok: true }],
    ];
    for (const [schema, view] of pairs) {
      const wire = plain(toWire(view));
      expect(schema.parse(wire)).toEqual(wire);
      expect(fromWire(wire)).toEqual(plain(view));
    }
  });

  it("refuse a view that lacks a member", async () => {
    const { api, child } = await busyBox();
    const wire = toWire(await api.check(child.taskId)) as Record<string, unknown>;
    const needed = Object.keys(wire).filter(
      (key) => !views.taskView.safeParse({ ...wire, [key]: undefined }).success,
    );
    expect(needed.toSorted()).toEqual(Object.keys(wire).toSorted());
  });
});
