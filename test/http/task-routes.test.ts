import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { MAX_GOAL_CHARS } from "../../src/core/limits.ts";
import { rig, type Rig, until } from "./rig.ts";

type Json = Record<string, unknown>;

let box: Rig;
let clock: SimulatedClock;
beforeEach(async () => {
  clock = new SimulatedClock();
  box = await rig({ clock });
});
afterEach(() => box.close());

const json = async (response: Response): Promise<Json> => (await response.json()) as Json;
const count = async (): Promise<number> => (await box.api.list()).items.length;

describe("POST /v1/tasks", () => {
  it("answers 202 with a Location that shows the task, in snake_case", async () => {
    const response = await box.post("/v1/tasks", { goal: "walk", max_turns: 3, timeout_ms: 1000 });
    expect(response.status).toBe(202);
    expect(response.headers.get("idempotency-replayed")).toBeNull();
    const handle = await json(response);
    expect(handle).toMatchObject({ created: true, queue_position: 1, state: "spawned" });
    const location = response.headers.get("location") as string;
    expect(location).toBe(`/v1/tasks/${String(handle["task_id"])}`);
    expect(await json(await box.request(location))).toMatchObject({
      task_id: handle["task_id"],
      goal: "walk",
    });
  });

  it("replays the same key and body, and says so", async () => {
    const headers = { "idempotency-key": "k-1" };
    const first = await json(await box.post("/v1/tasks", { goal: "walk" }, headers));
    const again = await box.post("/v1/tasks", { goal: "walk" }, headers);
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([202, "true"]);
    expect(await json(again)).toMatchObject({ task_id: first["task_id"], created: false });
    expect(await count()).toBe(1);
  });

  it("refuses the same key with another body as 409", async () => {
    const headers = { "idempotency-key": "k-1" };
    await box.post("/v1/tasks", { goal: "walk" }, headers);
    const other = await box.post("/v1/tasks", { goal: "run" }, headers);
    expect([other.status, (await json(other))["code"]]).toEqual([409, "idempotency_key_reused"]);
    expect(await count()).toBe(1);
  });

  it.each(["", "a b", "x".repeat(256), "ключ"])("refuses the key %j as 400", async (key) => {
    // A header can only hold bytes.
    const bytes = [...new TextEncoder().encode(key)].map((byte) => String.fromCharCode(byte)).join("");
    const response = await box.post("/v1/tasks", { goal: "walk" }, { "idempotency-key": bytes });
    expect([response.status, (await json(response))["code"]]).toEqual([400, "invalid_idempotency_key"]);
    expect(await count()).toBe(0);
  });

  it("refuses a goal of 5 MB with a 413 problem, before it is all read", async () => {
    const response = await box.post("/v1/tasks", { goal: "x".repeat(5_000_000) });
    expect(response.status).toBe(413);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await json(response)).toMatchObject({ code: "body_too_large", max_bytes: 4_194_304 });
    expect(await count()).toBe(0);
  });

  it("counts a chunked body too", async () => {
    const chunk = new TextEncoder().encode(" ".repeat(65_536));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        if (sent > 200) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await box.request("/v1/tasks", {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
      duplex: "half",
    } as RequestInit & { headers: Record<string, string> });
    expect(response.status).toBe(413);
  });

  it("takes the largest goal and context there may be, each character escaped", async () => {
    const escaped = "\\u0416".repeat(MAX_GOAL_CHARS);
    const response = await box.request("/v1/tasks", {
      method: "POST",
      body: `{"goal":"${escaped}","context":"${escaped}${escaped}${escaped}${escaped}"}`,
      headers: { "content-type": "application/json" },
    });
    expect(response.status).toBe(202);
  });

  it("keeps the keys of a schema as they are", async () => {
    const schema = { type: "object", properties: { innerKey: { type: "string" }, snake_key: {} } };
    let seen: unknown;
    const delegate = box.api.delegate.bind(box.api);
    box.api.delegate = (request) => {
      seen = request;
      return delegate(request);
    };
    await box.post("/v1/tasks", { goal: "g", output_schema: schema, parent_id: "x" });
    expect(seen).toEqual({ goal: "g", outputSchema: schema, parentId: "x" });
  });
});

describe("POST /v1/batches", () => {
  it("spawns all, one key for each", async () => {
    const body = { tasks: [{ goal: "a" }, { goal: "b", idempotency_key: "own" }] };
    const first = await json(await box.post("/v1/batches", body, { "idempotency-key": "k" }));
    const again = await json(await box.post("/v1/batches", body, { "idempotency-key": "k" }));
    const ids = (value: Json): unknown[] => (value["items"] as Json[]).map((item) => item["task_id"]);
    expect(ids(again)).toEqual(ids(first));
    expect(await count()).toBe(2);
  });

  it("refuses one bad goal with its place, and spawns nothing", async () => {
    const response = await box.post("/v1/batches", { tasks: [{ goal: "a" }, { goal: "" }] });
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ fields: [{ field: "tasks.1.goal" }] });
    expect(await count()).toBe(0);
  });
});

describe("GET /v1/tasks/{id}/result", () => {
  const start = async (): Promise<string> => (await box.api.delegate({ goal: "walk" })).taskId;
  const result = (id: string, prefer?: string): Promise<Response> =>
    box.request(`/v1/tasks/${id}/result`, prefer === undefined ? {} : { headers: { prefer } });

  it("is 202 with Retry-After at once without a preference", async () => {
    const response = await result(await start());
    expect([response.status, response.headers.get("retry-after")]).toEqual([202, "1"]);
    expect(response.headers.get("preference-applied")).toBeNull();
    expect(await json(response)).toMatchObject({ finished: false });
  });

  it("is 200 once it has ended", async () => {
    const id = await start();
    box.api.finish(id, "arrived");
    const response = await result(id);
    expect([response.status, response.headers.get("retry-after")]).toEqual([200, null]);
    expect(await json(response)).toMatchObject({ finished: true, result: "arrived", state: "done" });
  });

  it("waits as preferred, and answers as soon as the task ends", async () => {
    const id = await start();
    const waiting = result(id, "wait=30");
    await until(() => clock.pending > 0);
    await clock.advance(2_000);
    box.api.finish(id, "arrived");
    const response = await waiting;
    expect([response.status, response.headers.get("preference-applied")]).toEqual([200, "wait=30"]);
  });

  it("is 202 when the wait is over", async () => {
    const waiting = result(await start(), "wait=3");
    await until(() => clock.pending > 0);
    await clock.advance(3_000);
    const response = await waiting;
    expect([response.status, response.headers.get("preference-applied")]).toEqual([202, "wait=3"]);
  });

  it.each([
    ["wait=30", 30_000],
    ["respond-async, wait=5", 5_000],
    ['handling=lenient; wait="7"', 7_000],
    ["WAIT = 2", 2_000],
    ["wait=100000", 60_000],
    ["wait=0", 0],
    ["wait=-1", 0],
    ["wait=forever", 0],
    ["await=9", 0],
    ["respond-async", 0],
  ])("takes %j as a wait of %i ms", async (prefer, timeoutMs) => {
    const id = await start();
    box.api.finish(id, "x");
    const collect = box.api.collect.bind(box.api);
    const asked: unknown[] = [];
    box.api.collect = (taskId, request) => {
      asked.push(request?.timeoutMs);
      return collect(taskId, request);
    };
    await result(id, prefer);
    expect(asked).toEqual([timeoutMs]);
  });

  it("ends the wait when the client goes away", async () => {
    const id = await start();
    const gone = Promise.withResolvers<void>();
    const collect = box.api.collect.bind(box.api);
    const asked = Promise.withResolvers<void>();
    box.api.collect = (taskId, request) => {
      request?.signal?.addEventListener("abort", () => gone.resolve());
      asked.resolve();
      return collect(taskId, request);
    };
    const stop = new AbortController();
    const waiting = box
      .request(`/v1/tasks/${id}/result`, { headers: { prefer: "wait=30" }, signal: stop.signal })
      .catch((error: unknown) => error);
    await asked.promise;
    stop.abort();
    await gone.promise;
    expect(await waiting).toBeInstanceOf(Error);
  });
});

describe("the other routes of a task", () => {
  it("steer takes its id from the key, and is a 409 after the end", async () => {
    const { taskId } = await box.api.delegate({ goal: "walk" });
    const send = (): Promise<Response> =>
      box.post(
        `/v1/tasks/${taskId}/steer`,
        { message: "faster", interrupt: true },
        { "idempotency-key": "s-1" },
      );
    const [first, second] = [await send(), await send()];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(await json(first)).toMatchObject({ steer_id: "s-1", state: "queued", interrupt: true });
    box.api.finish(taskId, "x");
    const late = await box.post(`/v1/tasks/${taskId}/steer`, { message: "faster" });
    expect([late.status, await json(late)]).toMatchObject([409, { code: "task_ended", state: "done" }]);
  });

  it("cancel is 202 with or without a body", async () => {
    const { taskId } = await box.api.delegate({ goal: "walk" });
    const first = await box.request(`/v1/tasks/${taskId}/cancel`, { method: "POST" });
    expect([first.status, await json(first)]).toMatchObject([202, { cancelled: [taskId] }]);
    const second = await box.post(`/v1/tasks/${taskId}/cancel`, { reason: "again", force: true });
    expect([second.status, await json(second)]).toMatchObject([202, { cancelled: [] }]);
  });

  it("progress is 204 and bounds its percent", async () => {
    const { taskId } = await box.api.delegate({ goal: "walk" });
    const good = await box.post(`/v1/tasks/${taskId}/progress`, { percent: 100, partial: { aB: 1 } });
    expect([good.status, await good.text()]).toEqual([204, ""]);
    expect((await box.api.check(taskId)).progress).toMatchObject({ percent: 100, partial: { aB: 1 } });
    expect((await box.post(`/v1/tasks/${taskId}/progress`, { percent: 101 })).status).toBe(400);
  });

  it("answer is 409 when nobody asks", async () => {
    const { taskId } = await box.api.delegate({ goal: "walk" });
    expect((await box.post(`/v1/tasks/${taskId}/answer`, { text: "yes" })).status).toBe(409);
  });

  it("lists and transcripts page by cursor", async () => {
    for (let i = 0; i < 3; i += 1) await box.api.delegate({ goal: `g${i}` });
    const first = await json(await box.request("/v1/tasks?limit=2"));
    expect(first["items"]).toHaveLength(2);
    const second = await json(await box.request(`/v1/tasks?limit=2&cursor=${String(first["next_cursor"])}`));
    expect(second).toMatchObject({ items: [{ goal: "g2" }], next_cursor: null });
    const { taskId } = await box.api.delegate({ goal: "walk" });
    const rows = await json(await box.request(`/v1/tasks/${taskId}/transcript?after=0&limit=1`));
    expect(rows).toMatchObject({ items: [{ index: 1, message: { origin: "goal" } }], next_cursor: null });
  });
});
