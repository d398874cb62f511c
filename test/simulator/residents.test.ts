// How models stay and go, asked of whole boxes: keep-alives, the starvation and the deadlock of a real server.

import { describe, expect, test } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { preload, takeTurn } from "../../src/simulator/turn.ts";
import { model, named, smallBox } from "./fixtures.ts";

const EXCLUSIVE = { models: [model("a", { sizeBytes: 80 }), model("b", { sizeBytes: 80 })] };
const names = (box: ReturnType<typeof smallBox>["box"]) =>
  box.loaded().map(({ runner }) => runner.model.name);
const turn = (name: string, more: object = {}) => ({
  model: name,
  prompt: [{ key: name, tokens: 10 }],
  outputTokens: 100,
  ...more,
});

describe("the deadlock of a request that revives a model", () => {
  /** While `b` waits for `a` to go, a request for `a` names a keep-alive; then all is quiet for so long. */
  const quiet = async (deadlock: boolean, keepAliveMs: number, ms: number) => {
    const { box, clock } = smallBox({ ...EXCLUSIVE, deadlock });
    const states: string[] = [];
    const run = (name: string, more: object = {}) =>
      void takeTurn(box, turn(name, more)).then(
        () => states.push(name),
        () => states.push(`${name} failed`),
      );
    run("a");
    await clock.advance(1_500);
    run("b");
    await settle();
    run("a", { keepAliveMs });
    await clock.advance(ms);
    return { box, clock, states };
  };

  test("stands until the keep-alive has passed, and behind it everybody else", async () => {
    const { box, clock, states } = await quiet(true, 60_000, 30_000);
    expect([states, names(box)]).toEqual([["a", "a"], ["a"]]);
    expect(box.stats().headWaitMs).toBe(30_000);
    await clock.advance(60_000);
    expect(states).toEqual(["a", "a", "b"]);
  });

  test("stands for ever with a keep-alive that is for ever, and only a restart ends it", async () => {
    const { box, clock, states } = await quiet(true, -1, 86_400_000);
    expect(states).toEqual(["a", "a"]);
    box.restart(1_000);
    await clock.advance(1_000);
    expect(states).toEqual(["a", "a", "b failed"]);
    const after = takeTurn(box, turn("b"));
    await clock.advance(5_000);
    expect((await after).outputTokens).toBe(100);
  });

  test("does not happen where it is switched off", async () => {
    const { states } = await quiet(false, -1, 10_000);
    expect(states).toEqual(["a", "a", "b"]);
  });
});

test("an unload that a client asks for is taken back by a later keep-alive, and waits for its users", async () => {
  const { box, clock } = smallBox();
  await Promise.all([preload(box, { model: "a" }), clock.advance(1_000)]);
  const long = takeTurn(box, turn("a"));
  await clock.advance(100);
  box.unload(named(box, "a"));
  await clock.advance(5_000);
  await long;
  expect(names(box)).toEqual([]);
  const again = takeTurn(box, turn("a"));
  await clock.advance(1_100);
  box.unload(named(box, "a"));
  const kept = takeTurn(box, turn("a", { keepAliveMs: 60_000 }));
  await clock.advance(5_000);
  await Promise.all([again, kept]);
  expect(names(box)).toEqual(["a"]);
});

test("what is kept longest is listed first, and what is for ever before all", async () => {
  const { box, clock } = smallBox({ gpus: [{ id: "gpu0", vramBytes: 1_000 }] });
  const keeps = { a: 5_000, b: -1, c: 50_000 };
  for (const [name, keepAliveMs] of Object.entries(keeps)) {
    await Promise.all([preload(box, { model: name, keepAliveMs }), clock.advance(1_000)]);
  }
  expect(names(box)).toEqual(["b", "c", "a"]);
});

test("a server that lists what it is still loading does so", async () => {
  for (const listsLoading of [true, false]) {
    const { box, clock } = smallBox({ listsLoading });
    const loading = preload(box, { model: "a" });
    await clock.advance(500);
    expect(names(box)).toEqual(listsLoading ? ["a"] : []);
    await Promise.all([loading, clock.advance(500)]);
  }
});

test("memory that is slow to be free keeps the queue waiting, five seconds at the most", async () => {
  const { box, clock } = smallBox({ ...EXCLUSIVE, vramRecoveryMs: 60_000 });
  await Promise.all([preload(box, { model: "a" }), clock.advance(1_000)]);
  let loaded = false;
  const waiting = preload(box, { model: "b" }).then(() => (loaded = true));
  await clock.advance(100 + 5_000 + 999);
  expect([loaded, names(box)]).toEqual([false, []]);
  await clock.advance(1);
  await waiting;
  expect(loaded).toBe(true);
});

test("who listens hears of every change until it has had enough", async () => {
  const { box, clock } = smallBox();
  const seen: string[] = [];
  const stop = box.onChange(() => seen.push(names(box).join()));
  await Promise.all([preload(box, { model: "a" }), clock.advance(1_000)]);
  box.unload(named(box, "a"));
  await clock.advance(100);
  // It starts, is read, is there, goes, has gone.
  expect(seen).toEqual(["", "", "a", "", ""]);
  stop();
  await Promise.all([preload(box, { model: "a" }), clock.advance(1_000)]);
  expect(seen).toHaveLength(5);
});
