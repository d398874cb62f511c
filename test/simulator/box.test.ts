import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { settle } from "../../src/base/clock.ts";
import type { SimulatedBox } from "../../src/simulator/box.ts";
import { BUSY_MESSAGE, type ModelDemand } from "../../src/simulator/pending.ts";
import type { RunnerUse } from "../../src/simulator/runner.ts";
import { model, named, NEVER, smallBox } from "./fixtures.ts";

function demand(box: SimulatedBox, name: string, more: Partial<ModelDemand> = {}): ModelDemand {
  return { model: named(box, name), contextTokens: null, keepAliveMs: null, signal: NEVER, ...more };
}

/** What `enter` came to, without waiting for it. */
function entering(box: SimulatedBox, name: string, more: Partial<ModelDemand> = {}) {
  const state: { use: RunnerUse | null; error: unknown } = { use: null, error: null };
  box.enter(demand(box, name, more)).then(
    (use) => (state.use = use),
    (error: unknown) => (state.error = error),
  );
  return state;
}

const names = (box: SimulatedBox) => box.loaded().map(({ runner }) => runner.model.name);

describe("loading", () => {
  test("a model is there after its load time, and requests for it pass by then", async () => {
    const { box, clock } = smallBox();
    const first = entering(box, "a");
    await clock.advance(999);
    expect([first.use, names(box)]).toEqual([null, []]);
    await clock.advance(1);
    expect(first.use?.runner.model.name).toBe("a");
    const second = entering(box, "a");
    await settle();
    expect(second.use).not.toBeNull();
    expect(box.stats()).toMatchObject({ loads: 1, unloads: 0 });
  });

  test("X1 loads one model at a time, in the order of arrival", async () => {
    const { box, clock } = smallBox({ gpus: [{ id: "gpu0", vramBytes: 1_000 }] });
    const all = ["a", "b", "c"].map((name) => entering(box, name));
    for (const loaded of [1, 2, 3]) {
      await clock.advance(1_000);
      expect(all.filter((state) => state.use !== null)).toHaveLength(loaded);
    }
    expect(all.map((state) => state.use?.runner.model.name)).toEqual(["a", "b", "c"]);
  });

  test("load times are spread by the seeded source alone", async () => {
    const times = await Promise.all(
      [1, 2].map(async () => {
        const { box, clock } = smallBox({ loadJitter: 0.5 });
        const state = entering(box, "a");
        let ms = 0;
        for (; state.use === null; ms += 1) await clock.advance(1);
        return ms;
      }),
    );
    expect(times[0]).toBe(times[1]);
    expect(times[0]).not.toBe(1_000);
  });

  test("X2 a client that goes while its model loads leaves nothing loaded, and the next one loads it", async () => {
    const { box, clock } = smallBox();
    const controller = new AbortController();
    const gone = entering(box, "a", { signal: controller.signal });
    await clock.advance(500);
    controller.abort(new Error("gone"));
    const next = entering(box, "a");
    await clock.advance(999);
    expect([String(gone.error), next.use]).toEqual(["Error: gone", null]);
    await clock.advance(1);
    expect(next.use).not.toBeNull();
    expect(box.stats().loads).toBe(1);
  });

  test("another context is another load, as with Ollama's reload keys", async () => {
    const { box, clock } = smallBox();
    const small = entering(box, "a", { contextTokens: 4_096 });
    await clock.advance(1_000);
    small.use?.leave();
    const large = entering(box, "a", { contextTokens: 8_192 });
    await clock.advance(1_099);
    expect(large.use).toBeNull();
    await clock.advance(1);
    expect(large.use?.runner.contextTokens).toBe(8_192);
    expect(box.stats()).toMatchObject({ loads: 2, unloads: 1 });
  });

  test("a context beyond what the model was made for is lowered", async () => {
    const { box, clock } = smallBox({ models: [model("a", { contextTokens: 2_048 })] });
    const state = entering(box, "a", { contextTokens: 1_000_000 });
    await clock.advance(1_000);
    expect(state.use?.runner.contextTokens).toBe(2_048);
  });
});

describe("the queue for models that are not loaded", () => {
  test("W1 refuses what is more than maxQueue with Ollama's words, and a loaded model never refuses", async () => {
    const { box, clock } = smallBox({ maxQueue: 2 });
    const loaded = entering(box, "a");
    await clock.advance(1_000);
    const all = ["b", "b", "b", "b"].map((name) => entering(box, name));
    await settle();
    expect(all.map((state) => (state.error as Error | null)?.message ?? null)).toEqual([
      null,
      null,
      null,
      BUSY_MESSAGE,
    ]);
    expect(box.stats()).toMatchObject({ refused: 1, waitingModel: 2 });
    expect(loaded.use).not.toBeNull();
    const { box: hot, clock: time } = smallBox({ maxQueue: 0 });
    entering(hot, "a");
    await time.advance(1_000);
    const many = Array.from({ length: 50 }, () => entering(hot, "a"));
    await settle();
    expect(many.every((state) => state.use !== null)).toBe(true);
  });

  test("a request whose client left is skipped when its turn comes", async () => {
    const { box, clock } = smallBox({ gpus: [{ id: "gpu0", vramBytes: 1_000 }] });
    const controller = new AbortController();
    entering(box, "a");
    const gone = entering(box, "b", { signal: controller.signal });
    const last = entering(box, "c");
    controller.abort(new Error("gone"));
    await settle();
    expect(String(gone.error)).toBe("Error: gone");
    await clock.advance(2_000);
    expect(last.use).not.toBeNull();
    expect(names(box).toSorted()).toEqual(["a", "c"]);
  });

  test("while the head waits for an eviction, everybody behind it waits too", async () => {
    const { box, clock } = smallBox({
      models: [model("a", { sizeBytes: 80 }), model("b"), model("c", { sizeBytes: 1 })],
    });
    const busy = entering(box, "a");
    await clock.advance(1_000);
    const head = entering(box, "b");
    const behind = entering(box, "c");
    await clock.advance(60_000);
    expect([head.use, behind.use]).toEqual([null, null]);
    busy.use?.leave();
    await clock.advance(100 + 1_000 + 1_000);
    expect([head.use, behind.use].every((use) => use !== null)).toBe(true);
  });
});

describe("eviction", () => {
  test("a busy model that is to go serves who comes meanwhile, and goes when its last user has left", async () => {
    const { box, clock } = smallBox({ models: [model("a", { sizeBytes: 80 }), model("b")] });
    const busy = entering(box, "a");
    await clock.advance(1_000);
    const other = entering(box, "b");
    await settle();
    const again = entering(box, "a");
    await clock.advance(5_000);
    busy.use?.leave();
    await clock.advance(5_000);
    expect([names(box), other.use, again.use?.runner.model.name]).toEqual([["a"], null, "a"]);
    again.use?.leave();
    const late = entering(box, "a");
    await clock.advance(1_100);
    expect([other.use?.runner.model.name, late.use]).toEqual(["b", null]);
    other.use?.leave();
    await clock.advance(1_100);
    expect(late.use?.runner.model.name).toBe("a");
  });

  test("a steady stream of requests for a model that is to go starves the one that waits", async () => {
    const { box, clock } = smallBox({ models: [model("a", { sizeBytes: 80 }), model("b")] });
    let current = entering(box, "a");
    await clock.advance(1_000);
    const other = entering(box, "b");
    for (let round = 0; round < 100; round++) {
      const next = entering(box, "a");
      await clock.advance(1_000);
      current.use?.leave();
      current = next;
    }
    expect(other.use).toBeNull();
    expect(box.stats().headWaitMs).toBe(100_000);
    current.use?.leave();
    await clock.advance(1_100);
    expect(other.use).not.toBeNull();
    expect(box.stats().headWaitMs).toBe(0);
  });

  test("an idle model goes after its keep-alive, and a use starts the time again", async () => {
    const { box, clock } = smallBox({ keepAliveMs: 10_000 });
    const first = entering(box, "a");
    await clock.advance(1_000);
    first.use?.leave();
    await clock.advance(9_000);
    const second = entering(box, "a");
    await settle();
    second.use?.leave();
    await clock.advance(9_999);
    expect(names(box)).toEqual(["a"]);
    expect(box.loaded()[0]?.expiresAt).toBe(clock.now() + 1);
    await clock.advance(101);
    expect(names(box)).toEqual([]);
  });

  test.each([
    [0, 100, []],
    [-1, 10_000_000, ["a"]],
  ])("keep_alive %j leaves after %j ms: %j", async (keepAliveMs, ms, left) => {
    const { box, clock } = smallBox();
    const state = entering(box, "a", { keepAliveMs });
    await clock.advance(1_000);
    state.use?.leave();
    await clock.advance(ms);
    expect(names(box)).toEqual(left);
  });

  test("an explicit unload waits for the users of the model", async () => {
    const { box, clock } = smallBox();
    const state = entering(box, "a");
    await clock.advance(1_000);
    box.unload(named(box, "a"));
    await clock.advance(1_000);
    expect(names(box)).toEqual(["a"]);
    state.use?.leave();
    await clock.advance(100);
    expect(names(box)).toEqual([]);
  });
});

test("closing ends every wait and leaves no timer", async () => {
  const { box, clock } = smallBox();
  const used = entering(box, "a");
  await clock.advance(1_000);
  used.use?.leave();
  const waiting = ["b", "c"].map((name) => entering(box, name));
  await settle();
  box.close();
  box.close();
  await settle();
  expect(waiting.every((state) => state.error !== null)).toBe(true);
  expect(clock.pending).toBe(0);
});

test("V1 Z1 random demands, leaves and aborts: no GPU is overfilled and every request comes to its end", async () => {
  const step = fc.record({ name: fc.constantFrom("a", "b", "c"), ms: fc.nat(1_500), abort: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { box, clock } = smallBox({ models: [model("a"), model("b"), model("c", { sizeBytes: 70 })] });
      const states: ReturnType<typeof entering>[] = [];
      for (const { name, ms, abort } of steps) {
        const controller = new AbortController();
        const state = entering(box, name, { signal: controller.signal });
        states.push(state);
        clock.after(ms, () => (abort ? controller.abort(new Error("gone")) : state.use?.leave()));
        await clock.advance(ms / 2);
        const used = box.loaded().reduce((sum, { runner }) => sum + runner.vramBytes, 0);
        expect(used).toBeLessThanOrEqual(100);
      }
      const leaveAll = () => states.forEach((state) => state.use?.leave());
      for (let round = 0; round <= steps.length; round++) {
        leaveAll();
        await clock.advance(5_000);
      }
      expect(states.every((state) => state.use !== null || state.error !== null)).toBe(true);
      expect(box.stats()).toMatchObject({ waitingModel: 0, generating: 0 });
    }),
    { numRuns: 60 },
  );
});
