import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rig, type Rig } from "./rig.ts";

let box: Rig;
beforeAll(async () => {
  box = await rig();
});
afterAll(() => box.close());

interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly fields: readonly { readonly field: string; readonly message: string }[];
}
const refusal = async (response: Response): Promise<Refusal> => (await response.json()) as Refusal;

describe("a path or method that no route takes", () => {
  it.each(["/", "/v1", "/v1/task", "/v1/tasks/", "/v1/tasks/a/b", "/v1/tasks/a/result/b", "/V1/tasks"])(
    "%s is a 404 problem",
    async (path) => {
      const response = await box.request(path);
      expect(response.status).toBe(404);
      expect(await refusal(response)).toMatchObject({ code: "route_not_found" });
    },
  );

  it.each([
    ["PUT", "/v1/tasks", "GET, HEAD, POST"],
    ["OPTIONS", "/v1/tasks", "GET, HEAD, POST"],
    ["POST", "/v1/tasks/abc", "GET, HEAD"],
    ["GET", "/v1/tasks/abc/steer", "POST"],
    ["DELETE", "/v1/tasks/abc", "GET, HEAD"],
    ["GET", "/v1/sessions/abc", "DELETE"],
    ["PATCH", "/v1/pause", "POST"],
    ["POST", "/openapi.json", "GET, HEAD"],
  ])("%s %s is a 405 that allows %s", async (method, path, allow) => {
    const response = await box.request(path, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
    expect(await refusal(response)).toMatchObject({ code: "method_not_allowed" });
  });

  it("HEAD answers like GET without a body", async () => {
    const response = await box.request("/v1/status", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });
});

describe("what a route checks", () => {
  it("names the field that is wrong, and how", async () => {
    const response = await box.post("/v1/tasks", { goal: "", max_turns: 0, budget: { tokens: "many" } });
    expect(response.status).toBe(400);
    const { code, detail, fields } = await refusal(response);
    expect(code).toBe("invalid_body");
    expect(detail).toContain("goal: must hold more than white space");
    expect(fields.map(({ field }) => field)).toEqual(["goal", "max_turns", "budget.tokens"]);
  });

  it("names unknown keys, and eight problems at the most", async () => {
    const { detail } = await refusal(await box.post("/v1/tasks", { goal: "x", gaol: "y" }));
    expect(detail).toContain("gaol");
    const toolsets = Array.from({ length: 50 }, () => 1);
    expect((await refusal(await box.post("/v1/tasks", { goal: "x", toolsets }))).fields).toHaveLength(8);
  });

  it.each([
    "/v1/tasks?colour=red",
    "/v1/tasks?__proto__=x",
    "/v1/tasks?limit=0",
    "/v1/tasks?limit=201",
    "/v1/tasks?limit=",
    "/v1/tasks?limit=1e2",
    "/v1/tasks?limit=0x10",
    "/v1/tasks?limit=-1",
    "/v1/tasks?limit=1&limit=2",
    "/v1/tasks?state=asleep",
    "/v1/tasks/abc?verbose=1",
    "/v1/tree?root=1",
    "/v1/events?deltas=yes",
    "/v1/events?after=now",
    "/v1/status?x",
    "/openapi.json?x=1",
  ])("%s is a 400", async (path) => {
    const response = await box.request(path);
    expect(response.status).toBe(400);
    expect(await refusal(response)).toMatchObject({ code: "invalid_query" });
  });

  it("a name in the path that is too long is a 400", async () => {
    const response = await box.request(`/v1/tasks/${"a".repeat(300)}`);
    expect([response.status, (await refusal(response)).code]).toEqual([400, "invalid_param"]);
  });

  it.each(["%2e%2e%2f%2e%2e%2fetc", "%00", "a%20b", "%F0%9F%91%8B", "__proto__", "constructor"])(
    "the id %s is only an unknown one",
    async (id) => {
      const response = await box.request(`/v1/tasks/${id}`);
      expect([response.status, (await refusal(response)).code]).toEqual([404, "task_not_found"]);
    },
  );

  it.each(["[]", "null", "1", '"goal"', "true"])("a body that is no object is a 400: %s", async (body) => {
    const response = await box.request("/v1/tasks", {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    expect([response.status, (await refusal(response)).code]).toEqual([400, "invalid_body"]);
  });

  it("a body that is left out counts as an empty one", async () => {
    expect((await box.request("/v1/sessions", { method: "POST" })).status).toBe(201);
    expect((await box.request("/v1/pause", { method: "POST" })).status).toBe(400);
  });
});
