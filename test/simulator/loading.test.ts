// How models come into memory, asked of whole boxes.

import { describe, expect, test } from "vitest";
import { preload, takeTurn } from "../../src/simulator/turn.ts";
import { model, smallBox } from "./fixtures.ts";

type Box = ReturnType<typeof smallBox>["box"];
const names = (box: Box) => box.loaded().map(({ runner }) => runner.model.name);

async function loading(made: ReturnType<typeof smallBox>, name: string, more: object = {}): Promise<unknown> {
  const outcome = preload(made.box, { model: name, ...more }).then(
    () => "loaded",
    (error: unknown) => (error as { code?: string }).code,
  );
  await made.clock.advance(10_000);
  return outcome;
}

test("requests for a model that is being loaded are served with it, before those that wait for others", async () => {
  const { box, clock } = smallBox({ gpus: [{ id: "gpu0", vramBytes: 1_000 }] });
  const order: string[] = [];
  for (const name of ["a", "b", "a", "a"]) void preload(box, { model: name }).then(() => order.push(name));
  await clock.advance(1_000);
  expect(order).toEqual(["a", "a", "a"]);
  await clock.advance(1_000);
  expect([order.at(-1), box.stats().loads]).toEqual(["b", 2]);
});

test("who asks for a model before its weights are read stands in the queue, where the next one evicts it", async () => {
  const { box, clock } = smallBox({
    models: [model("a", { sizeBytes: 80 }), model("b", { sizeBytes: 80 })],
    runnerStartMs: 600,
  });
  const order: string[] = [];
  for (const name of ["a", "b", "a"]) void preload(box, { model: name }).then(() => order.push(name));
  await clock.advance(700);
  void preload(box, { model: "a" }).then(() => order.push("a, late"));
  await clock.advance(300);
  expect(order).toEqual(["a", "a, late"]);
  await clock.advance(2_200);
  expect([order, box.stats().loads]).toEqual([["a", "a, late", "b", "a"], 3]);
});

test("V2 when the first client goes, the others load the model themselves", async () => {
  const { box, clock } = smallBox();
  const controller = new AbortController();
  const gone = preload(box, { model: "a", signal: controller.signal }).catch((error: unknown) =>
    String(error),
  );
  const other = preload(box, { model: "a" });
  await clock.advance(500);
  controller.abort(new Error("gone"));
  expect(await gone).toBe("Error: gone");
  await clock.advance(1_000);
  await other;
  expect([names(box), box.stats().loads]).toEqual([["a"], 1]);
});

test("no more models than the server was told are in memory, even where they fit", async () => {
  const made = smallBox({ gpus: [{ id: "gpu0", vramBytes: 1_000 }], maxLoadedModels: 1 });
  for (const name of ["a", "b", "c"]) await loading(made, name);
  expect([names(made.box), made.box.stats().unloads]).toEqual([["c"], 2]);
});

test("unless it was told, three for each GPU", async () => {
  const models = ["a", "b", "c", "d"].map((name) => model(name, { sizeBytes: 1 }));
  const made = smallBox({ models });
  for (const { name } of models) await loading(made, name);
  expect(names(made.box)).toHaveLength(3);
});

test("two models that evict each other load for every request that the queue has in turn", async () => {
  const { box, clock } = smallBox({
    models: [model("a", { sizeBytes: 80 }), model("b", { sizeBytes: 80 })],
  });
  const turns = ["a", "b", "a", "b", "a", "b"].map((name, at) =>
    takeTurn(box, { model: name, prompt: [{ key: `${at}`, tokens: 1 }], outputTokens: 1 }),
  );
  await clock.advance(60_000);
  await Promise.all(turns);
  // The first load serves who came while it ran; the others stand behind each other.
  expect(box.stats().loads).toBe(2);
  for (const name of ["a", "b", "a", "b"]) {
    await Promise.all([preload(box, { model: name }), clock.advance(5_000)]);
  }
  expect(box.stats().loads).toBe(6);
});

test("two names of one file share what is loaded, and reload each other when their options differ", async () => {
  const models = [
    model("a", { blob: "file" }),
    model("twin", { blob: "file" }),
    model("short", { blob: "file", options: { num_ctx: 512 } }),
  ];
  const made = smallBox({ models });
  await loading(made, "a");
  await loading(made, "twin");
  expect(made.box.stats().loads).toBe(1);
  await loading(made, "short");
  await loading(made, "a");
  expect(made.box.stats()).toMatchObject({ loads: 3, unloads: 2 });
});

test("a family that takes one prompt at a time has the memory of one slot", async () => {
  const of = (family: string) =>
    model(family, { family, kvBytesPerToken: 1, contextTokens: 10, sizeBytes: 10 });
  const made = smallBox({ models: [of("llama"), of("qwen3next")], slots: 3 });
  await loading(made, "llama");
  await loading(made, "qwen3next");
  const loaded = made.box
    .loaded()
    .map(({ runner }) => [runner.model.name, [runner.slots.slots, runner.bytes]] as const);
  expect(Object.fromEntries(loaded)).toEqual({ llama: [3, 40], qwen3next: [1, 20] });
});

describe("loads that fail", () => {
  test("without memory, the server's own choice of a context is lowered, and lowered again", async () => {
    const big = model("a", { contextTokens: 300_000 });
    const made = smallBox({ models: [big], defaultContextTokens: 262_144 });
    made.box.faults.loadsOutOfMemory = 2;
    expect(await loading(made, "a")).toBe("loaded");
    expect(made.box.loaded()[0]?.runner.contextTokens).toBe(4_096);
  });

  test("without memory, everything else goes once, and then the request fails", async () => {
    const made = smallBox({ models: [model("a", { sizeBytes: 10 }), model("b", { sizeBytes: 10 })] });
    await loading(made, "a");
    made.box.faults.loadsOutOfMemory = 1;
    expect(await loading(made, "b", { contextTokens: 100 })).toBe("loaded");
    expect(names(made.box)).toEqual(["b"]);
    made.box.faults.loadsOutOfMemory = 2;
    expect(await loading(made, "a", { contextTokens: 100 })).toBe("out_of_memory");
    expect([names(made.box), await loading(made, "b")]).toEqual([[], "loaded"]);
  });

  test("a load without progress fails after its time, and the queue goes on", async () => {
    const made = smallBox({ loadTimeoutMs: 5_000 });
    made.box.faults.loadsStalled = 1;
    expect(await loading(made, "a")).toBe("load_timeout");
    expect(await loading(made, "b")).toBe("loaded");
  });

  test("a wedged server serves what is loaded and nothing else, until it is started again", async () => {
    const made = smallBox({ keepAliveMs: -1 });
    await loading(made, "a");
    made.box.faults.wedged = true;
    let isOver = false;
    const stuck = preload(made.box, { model: "b" }).catch(() => (isOver = true));
    await made.clock.advance(3_600_000);
    expect([isOver, made.box.stats().headWaitMs]).toEqual([false, 3_600_000]);
    expect(await loading(made, "a")).toBe("loaded");
    made.box.restart(0);
    await stuck;
    await made.clock.advance(0);
    expect(await loading(made, "b")).toBe("loaded");
  });
});
