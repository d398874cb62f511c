import { describe, expect, test } from "vitest";
import { Faults, isServerGone, serverGone } from "../../src/simulator/faults.ts";
import { say } from "../../src/simulator/policy.ts";
import { preload, takeTurn } from "../../src/simulator/turn.ts";
import { model, named, post, served, smallBox } from "./fixtures.ts";

const turn = (name = "a") => ({ model: name, prompt: [{ key: name, tokens: 10 }], outputTokens: 100 });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error as { code?: string }).code,
  );

test("faults of loads are taken one by one, the stalled first", () => {
  const faults = new Faults();
  faults.loadsOutOfMemory = 1;
  faults.loadsStalled = 1;
  expect([1, 2, 3].map(() => faults.takeLoad())).toEqual(["stalled", "out_of_memory", null]);
  expect([isServerGone(serverGone()), isServerGone(new Error("x"))]).toEqual([true, false]);
});

test("a restart ends what runs and waits, forgets every model, and answers nobody while it is down", async () => {
  const { box, clock } = smallBox();
  await Promise.all([preload(box, { model: "a" }), clock.advance(1_000)]);
  const ended = ["a", "a", "b", "c"].map((name) => codeOf(takeTurn(box, turn(name))));
  await clock.advance(100);
  box.restart(5_000);
  expect(await Promise.all(ended)).toEqual(ended.map(() => "connection_refused"));
  expect(box.loaded()).toEqual([]);
  expect(box.stats()).toMatchObject({ generating: 0, waitingModel: 0, waitingSlot: 0 });
  await clock.advance(4_999);
  expect(await codeOf(takeTurn(box, turn()))).toBe("connection_refused");
  await clock.advance(1);
  const after = codeOf(takeTurn(box, turn()));
  await clock.advance(5_000);
  expect([await after, box.stats().loads]).toEqual(["done", 2]);
});

test("a card out of memory fails what generates, and every model goes", async () => {
  const { box, clock } = smallBox({ gpus: [{ id: "gpu0", vramBytes: 1_000 }] });
  for (const name of ["a", "c"]) await Promise.all([preload(box, { model: name }), clock.advance(1_000)]);
  const failing = codeOf(takeTurn(box, turn()));
  await clock.advance(50);
  box.runOutOfMemory();
  expect(await failing).toBe("out_of_memory");
  await clock.advance(100);
  expect([box.loaded(), box.stats().unloads]).toEqual([[], 2]);
});

test("a model that is deleted is not found any more, and one in memory stays until it expires", async () => {
  const { box, clock } = smallBox();
  await Promise.all([preload(box, { model: "a" }), clock.advance(1_000)]);
  box.delete("a");
  expect([box.model("a"), box.models.map(({ name }) => name)]).toEqual([null, ["b", "c"]]);
  expect(box.loaded().map(({ runner }) => runner.model.name)).toEqual(["a"]);
  expect(() => box.delete("a")).toThrow("not found");
});

test("a slow drip slows what runs", async () => {
  const { box, clock } = smallBox();
  await Promise.all([preload(box, { model: "a" }), clock.advance(1_000)]);
  box.slowTo(10);
  const slow = takeTurn(box, turn());
  await clock.advance(20_000);
  expect((await slow).outputMs).toBe(10_000);
});

describe("over a socket", () => {
  const body = { model: "a", messages: [{ role: "user", content: "hello" }] };

  test("a restart breaks the streams that are open and the requests that come while it is down", async () => {
    const long = model("a", { policy: () => say("word ".repeat(500)) });
    await using server = await served({ models: [long] });
    const response = await server.finish(post(server, body));
    const text = response.text().then(
      () => "whole",
      () => "broken",
    );
    server.box.restart(1_000);
    expect(await text).toBe("broken");
    await expect(post(server, body).then((answer) => answer.text())).rejects.toThrow("terminated");
    await expect(server.fetch(`${server.url}/api/version`)).rejects.toThrow("fetch failed");
    await server.clock.advance(1_000);
    expect((await server.finish(post(server, body))).status).toBe(200);
    expect((await server.fetch(`${server.url}/api/version`)).status).toBe(200);
  });

  test("a load without memory is a 500 in the runner's words", async () => {
    await using server = await served();
    server.box.faults.loadsOutOfMemory = 9;
    const failed = await server.finish(post(server, { ...body, options: { num_ctx: 512 } }));
    expect([failed.status, await failed.text()]).toEqual([500, expect.stringContaining("out of memory")]);
  });

  test("a model is deleted over the API", async () => {
    await using server = await served();
    const remove = () =>
      fetch(`${server.url}/api/delete`, { method: "DELETE", body: JSON.stringify({ model: "a" }) });
    expect([(await remove()).status, (await remove()).status]).toEqual([200, 404]);
    const tags = await (await fetch(`${server.url}/api/tags`)).json();
    expect((tags as { models: { name: string }[] }).models.map(({ name }) => name)).toEqual([
      "b:latest",
      "c:latest",
    ]);
    expect(named(server.box, "b").name).toBe("b");
  });
});
