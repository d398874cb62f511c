import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rig, type Rig } from "./rig.ts";

let box: Rig;
beforeAll(async () => {
  box = await rig();
});
afterAll(() => box.close());

const get = async (path: string): Promise<unknown> => (await box.request(path)).json();

describe("box routes", () => {
  it("show GPUs with their lanes, and providers with their models", async () => {
    expect(await get("/v1/gpus")).toMatchObject({
      items: [{ gpu: "gpu0", backends: [{ max_children: 4, leases: [{ held_ms: 12.5 }] }] }],
    });
    expect(await get("/v1/providers")).toMatchObject({
      items: [{ base_url: "http://127.0.0.1:1", simulated: true }],
    });
  });

  it("show a machine's definition as it is", async () => {
    expect(await get("/v1/machines/agent")).toEqual({
      name: "agent",
      version: 1,
      definition: { initialState: "spawned", on_done: { targetState: "done" } },
    });
    expect((await box.request("/v1/machines/toaster")).status).toBe(404);
  });

  it("show the status, and switch spawning off and on", async () => {
    expect(await get("/v1/status")).toMatchObject({ box_id: "box_canned", simulated: true, paused: false });
    const paused = await box.post("/v1/pause", { paused: true });
    expect([paused.status, await paused.json()]).toEqual([200, { paused: true }]);
    expect(await get("/v1/status")).toMatchObject({ paused: true });
    expect((await box.post("/v1/pause", { paused: "no" })).status).toBe(400);
    await box.post("/v1/pause", { paused: false });
  });

  it("show all trees, or one", async () => {
    const session = await box.api.createSession();
    const other = await box.api.delegate({ goal: "other" });
    await box.api.delegate({ goal: "child", parentId: session.taskId });
    expect(await get("/v1/tree")).toMatchObject({
      items: [{ task_id: session.taskId, children: [{ goal: "child" }] }, { task_id: other.taskId }],
    });
    const one = (await get(`/v1/tree?root_id=${other.taskId}`)) as { items: unknown[] };
    expect(one.items).toHaveLength(1);
    expect((await box.request("/v1/tree?root_id=none")).status).toBe(404);
  });
});
