import { expect, test } from "vitest";
import { takeSeat } from "../../src/simulator/seat.ts";
import { preload } from "../../src/simulator/turn.ts";
import { named, NEVER, smallBox } from "./fixtures.ts";

const PROMPT = [{ key: "talk", tokens: 100 }];
const demand = (box: ReturnType<typeof smallBox>["box"], signal = NEVER) => ({
  model: named(box, "a"),
  contextTokens: null,
  keepAliveMs: null,
  signal,
});

async function loadedBox(more: Parameters<typeof smallBox>[0] = {}) {
  const made = smallBox(more);
  await Promise.all([preload(made.box, { model: "a" }), made.clock.advance(1_000)]);
  return made;
}

test("N1 a seat holds one slot until it is left, and may be left twice", async () => {
  const { box, clock } = await loadedBox();
  const seat = await takeSeat(box, demand(box));
  const next = takeSeat(box, demand(box));
  await clock.advance(70);
  expect(box.stats()).toMatchObject({ generating: 1, waitingSlot: 1 });
  seat.leave();
  seat.leave();
  expect((await next).finish([]).waitMs).toBe(70);
  (await next).leave();
  expect(box.stats()).toMatchObject({ generating: 0, waitingSlot: 0 });
});

test("N1 a client that leaves while it waits for a slot takes none", async () => {
  const { box } = await loadedBox();
  const seat = await takeSeat(box, demand(box));
  const controller = new AbortController();
  const gone = takeSeat(box, demand(box, controller.signal)).catch((error: unknown) => String(error));
  controller.abort(new Error("gone"));
  expect(await gone).toBe("Error: gone");
  seat.leave();
  expect([box.loaded()[0]?.runner.users, box.stats().generating]).toEqual([0, 0]);
});

test("what was written to a client that left is counted as wasted, and remembered no further than it was read", async () => {
  const { box, clock } = await loadedBox({ promptCache: { hostBytes: 0, entryBytes: 0, bytesPerToken: 0 } });
  const controller = new AbortController();
  const seat = await takeSeat(box, demand(box, controller.signal));
  await Promise.all([seat.readPrompt(PROMPT), clock.advance(100)]);
  await Promise.all([seat.write(7, { fine: false }), clock.advance(70)]);
  const broken = seat.write(7, { fine: false }).catch((error: unknown) => String(error));
  controller.abort(new Error("gone"));
  expect(await broken).toBe("Error: gone");
  seat.leave();
  expect(box.stats()).toMatchObject({ abortedTokens: 7, outputTokens: 0 });
  const next = await takeSeat(box, demand(box));
  await Promise.all([next.readPrompt([{ key: "talk", tokens: 120 }]), clock.advance(100)]);
  expect(next.finish([])).toMatchObject({ cachedTokens: 100, promptMs: 20 });
  next.leave();
});

test("an answer made in two completions reads its prompt again: a token of it, where it is remembered", async () => {
  for (const promptCache of [null, { hostBytes: 0, entryBytes: 0, bytesPerToken: 0 }]) {
    const { box, clock } = await loadedBox({ promptCache });
    const seat = await takeSeat(box, demand(box));
    await Promise.all([seat.readPrompt(PROMPT), clock.advance(100)]);
    await Promise.all([seat.readAgain(), clock.advance(100)]);
    expect(seat.finish([])).toMatchObject({ promptMs: promptCache ? 101 : 200 });
    seat.leave();
  }
});

test("a seat whose server fails is given back, and every later wait fails", async () => {
  const { box } = await loadedBox();
  const seat = await takeSeat(box, demand(box));
  seat.fail(new Error("down"));
  expect(box.stats().generating).toBe(0);
  await expect(seat.readPrompt(PROMPT)).rejects.toThrow("down");
  seat.leave();
});
