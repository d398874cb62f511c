import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rig, type Rig } from "./rig.ts";

type Json = Record<string, unknown>;

let box: Rig;
beforeEach(async () => {
  box = await rig();
});
afterEach(() => box.close());

describe("session routes", () => {
  it("open a session with 201 and a Location, once per key", async () => {
    const send = (body: unknown): Promise<Response> =>
      box.post("/v1/sessions", body, { "idempotency-key": "c" });
    const first = await send({});
    expect(first.status).toBe(201);
    const session = (await first.json()) as Json;
    expect(session).toMatchObject({ kind: "session" });
    expect(first.headers.get("location")).toBe(`/v1/tasks/${String(session["task_id"])}`);
    expect(await (await send({})).json()).toMatchObject({ task_id: session["task_id"] });
    expect((await send({ agent: "other" })).status).toBe(409);
  });

  it("take a message with 202, under the key as its id", async () => {
    const { taskId } = await box.api.createSession();
    const path = `/v1/sessions/${taskId}/messages`;
    const response = await box.post(path, { text: "hello" }, { "idempotency-key": "m-1" });
    expect([response.status, await response.json()]).toMatchObject([
      202,
      { steer_id: "m-1", task_id: taskId },
    ]);
    expect((await box.post(path, { text: " " })).status).toBe(400);
    expect((await box.post(path, {})).status).toBe(400);
  });

  it("stop with 202 and keep the session; close with 200, then refuse messages with 409", async () => {
    const { taskId } = await box.api.createSession();
    const child = await box.api.delegate({ goal: "child", parentId: taskId });
    const stopped = await box.request(`/v1/sessions/${taskId}/stop`, { method: "POST" });
    expect([stopped.status, await stopped.json()]).toMatchObject([202, { cancelled: [child.taskId] }]);
    const closed = await box.request(`/v1/sessions/${taskId}`, { method: "DELETE" });
    expect([closed.status, await closed.json()]).toMatchObject([200, { cancelled: [taskId] }]);
    expect((await box.post(`/v1/sessions/${taskId}/messages`, { text: "hello?" })).status).toBe(409);
  });

  it("are 404 for what is no session", async () => {
    const { taskId } = await box.api.delegate({ goal: "walk" });
    expect((await box.post(`/v1/sessions/${taskId}/messages`, { text: "hello" })).status).toBe(404);
    expect((await box.request("/v1/sessions/none", { method: "DELETE" })).status).toBe(404);
  });
});
