// The dashboard's client against the real server on a real socket.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Api, ApiError } from "../../web/api.js";
import { rig, TOKEN, type Rig } from "../http/rig.ts";

let box: Rig;
beforeAll(async () => {
  box = await rig();
});
afterAll(() => box.close());

function apiWith(token: string | null, base = () => box.server.url) {
  const refused: string[] = [];
  const api = new Api({
    request: (path, init) => fetch(base() + path, init),
    token: () => token,
    onRefused: (why) => refused.push(why),
  });
  return { api, refused };
}

const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => null,
    (error: unknown) => error,
  );

describe("a call", () => {
  it("gives the answer in the wire's words, and leaves out what was not asked", async () => {
    const { api } = apiWith(TOKEN);
    const handle = await api.post("/v1/tasks", { goal: "look" });
    expect(handle).toMatchObject({ created: true, queue_position: 1 });
    const page = await api.get("/v1/tasks", { limit: 1, cursor: null, state: undefined });
    expect(page).toMatchObject({ items: [{ goal: "look" }] });
  });

  it("is the same call again under its key", async () => {
    const { api } = apiWith(TOKEN);
    const [one, two] = [
      await api.post("/v1/tasks", { goal: "once" }, "key-1"),
      await api.post("/v1/tasks", { goal: "once" }, "key-1"),
    ] as { readonly task_id: string }[];
    expect(one?.task_id).toBe(two?.task_id);
  });

  it("says what the server says of a refusal", async () => {
    const error = await failure(apiWith(TOKEN).api.get("/v1/tasks/none"));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 404,
      code: "task_not_found",
      message: expect.stringContaining("none"),
    });
  });

  it("gives a token up that the server does not know", async () => {
    const { api, refused } = apiWith("nonsense");
    expect(await failure(api.get("/v1/status"))).toMatchObject({ status: 401, code: "unauthorized" });
    expect(refused).toHaveLength(1);
  });

  it("says so where nothing answers, and where no Troupe does", async () => {
    const { api, refused } = apiWith(TOKEN, () => "http://127.0.0.1:1");
    expect(await failure(api.get("/v1/status"))).toMatchObject({ status: 0, code: "unreachable" });
    const other = new Api({
      request: () => Promise.resolve(new Response("<h1>proxy</h1>", { status: 502 })),
      token: () => TOKEN,
      onRefused: (why) => refused.push(why),
    });
    expect(await failure(other.get("/v1/status"))).toMatchObject({ status: 502, code: "unknown" });
    expect(refused).toEqual([]);
  });
});
