import { describe, expect, test } from "vitest";
import type { SimulatedClock } from "../../src/base/clock.ts";
import type { SimulatedBox } from "../../src/simulator/box.ts";
import { generate, type GenerationRequest } from "../../src/simulator/generation.ts";
import { call, say } from "../../src/simulator/policy.ts";
import { promptTokens } from "../../src/simulator/prompt.ts";
import type { Figures } from "../../src/simulator/seat.ts";
import { generationRequest, model, named, reading, smallBox, tools, user, type Reading } from "./fixtures.ts";

/** Reads a generation on a box whose models were loaded before. */
function start(box: SimulatedBox, more: Partial<GenerationRequest> = {}): Reading {
  return reading(generate(box, generationRequest(named(box, "a"), more)));
}

async function loadedBox(
  more: Parameters<typeof smallBox>[0] = {},
): Promise<{ box: SimulatedBox; clock: SimulatedClock }> {
  const { box, clock } = smallBox(more);
  const warm = start(box);
  await clock.advance(10_000);
  await warm.ended;
  return { box, clock };
}

function figures(read: Reading): Figures {
  const last = read.chunks.at(-1);
  if (last?.type !== "done") throw new Error("the generation has not ended");
  return last.figures;
}

const text = (read: Reading): string =>
  read.chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");

describe("figures", () => {
  test("N3 a cold generation takes load, prompt and output, to the millisecond", async () => {
    const { box, clock } = smallBox();
    const read = start(box, { messages: [user("x".repeat(4 * 96))] });
    await clock.advance(1_000 + 100);
    expect(read.chunks).toEqual([]);
    await clock.advance(50);
    await read.ended;
    expect(text(read)).toBe("one two three four five");
    expect(figures(read)).toEqual({
      totalMs: 1_150,
      loadMs: 1_000,
      waitMs: 0,
      promptTokens: 100,
      cachedTokens: 0,
      promptMs: 100,
      outputTokens: 5,
      outputMs: 50,
    });
  });

  test("N3 what is left after load, prompt and output is the wait for a slot", async () => {
    const { box, clock } = await loadedBox();
    const request = { messages: [user("x".repeat(4 * 96))] };
    const both = [start(box, request), start(box, request)];
    await clock.advance(300);
    const [first, second] = both.map(figures);
    expect(first).toMatchObject({ totalMs: 150, loadMs: 0, promptMs: 100, outputMs: 50 });
    expect(second).toMatchObject({ totalMs: 300, loadMs: 0, promptMs: 100, outputMs: 50 });
  });

  test("two at once slow each other by the configured share", async () => {
    const { box, clock } = await loadedBox({ slots: 2, batchSlowdown: 0.5 });
    const both = [start(box), start(box)];
    await clock.advance(1_000);
    const alone = start(box);
    await clock.advance(1_000);
    expect(both.map((read) => figures(read).outputMs)).toEqual([75, 75]);
    expect(figures(alone).outputMs).toBe(50);
  });

  test("a model's own rates outrank the box's", async () => {
    const fast = model("a", { decodeTokensPerS: 1_000, prefillTokensPerS: 10_000 });
    const { box, clock } = await loadedBox({ models: [fast] });
    const read = start(box, { messages: [user("x".repeat(4 * 96))] });
    await clock.advance(1_000);
    expect(figures(read)).toMatchObject({ promptMs: 10, outputMs: 5 });
  });
});

describe("slots", () => {
  test("N1 a single slot serves in the order of arrival", async () => {
    const { box, clock } = await loadedBox();
    const order: number[] = [];
    const reads = [1, 2, 3].map((number) => {
      const read = start(box);
      void read.ended.then(() => order.push(number));
      return read;
    });
    await clock.advance(20);
    expect(box.stats()).toMatchObject({ generating: 1, waitingSlot: 2 });
    await clock.advance(1_000);
    expect(order).toEqual([1, 2, 3]);
    expect(reads.every((read) => read.error === undefined)).toBe(true);
  });

  test.each([
    ["while it waits for a slot", 0, 0],
    ["while its prompt is read", 1, 3],
    ["in the middle of its answer", 1, 40],
  ])("N1 an abort %s frees the slot at once", async (_, running, ms) => {
    const { box, clock } = await loadedBox();
    const blocker = running === 0 ? start(box) : null;
    const controller = new AbortController();
    const read = start(box, { signal: controller.signal });
    await clock.advance(ms);
    controller.abort(new Error("gone"));
    await read.ended;
    expect(String(read.error)).toBe("Error: gone");
    expect(read.chunks.some((chunk) => chunk.type === "done")).toBe(false);
    expect(box.stats()).toMatchObject({ waitingSlot: 0, generating: blocker ? 1 : 0 });
    const next = start(box);
    await clock.advance(1_000);
    expect(text(next)).toBe("one two three four five");
    expect(clock.pending).toBe(1); // the keep-alive alone
  });

  test("closing the box ends what is running", async () => {
    const { box, clock } = await loadedBox();
    const read = start(box);
    await clock.advance(20);
    box.close();
    await read.ended;
    expect(String(read.error)).toContain("closed");
    expect(clock.pending).toBe(0);
  });
});

describe("answers", () => {
  test("thoughts come first, then words, then calls; each costs its tokens", async () => {
    const calls = [{ name: "list_dir", arguments: { path: "." } }];
    const thinker = model("a", {
      policy: () => ({ ...call(calls, "I look"), thinking: "hm hm" }),
      thinking: true,
    });
    const { box, clock } = await loadedBox({ models: [thinker] });
    const read = start(box, { think: true, tools: tools("list_dir") });
    await clock.advance(5_000);
    expect(read.chunks.map((chunk) => chunk.type)).toEqual([
      "thinking",
      "thinking",
      "text",
      "text",
      "call",
      "done",
    ]);
    const silent = start(box, { think: false });
    await clock.advance(5_000);
    expect(silent.chunks.map((chunk) => chunk.type)).toEqual(["text", "text", "call", "done"]);
    expect(figures(read).outputTokens).toBe(figures(silent).outputTokens + 2);
  });

  test("an answer that passes the token limit is cut and says so", async () => {
    const { box, clock } = await loadedBox();
    const read = start(box, { maxTokens: 3 });
    await clock.advance(1_000);
    expect(text(read)).toBe("one two three");
    expect(read.chunks.at(-1)).toMatchObject({ reason: "length", figures: { outputTokens: 3 } });
  });

  test("a call that the limit cuts is not made at all", async () => {
    const caller = model("a", {
      policy: () => call([{ name: "list_dir", arguments: { path: "x".repeat(400) } }]),
    });
    const { box, clock } = await loadedBox({ models: [caller] });
    const read = start(box, { maxTokens: 10 });
    await clock.advance(1_000);
    expect(read.chunks).toMatchObject([{ type: "done", reason: "length", figures: { outputTokens: 10 } }]);
  });

  test("a format turns words into JSON", async () => {
    const { box, clock } = await loadedBox();
    const read = start(box, { format: { type: "object", properties: { text: { type: "string" } } } });
    await clock.advance(5_000);
    expect(JSON.parse(text(read))).toEqual({ text: "one two three four five" });
  });

  test("a policy sees what fits into the context, and the count never passes it", async () => {
    const echo = model("a", { policy: ({ messages }) => say(String(messages.length)) });
    const { box, clock } = smallBox({ models: [echo] });
    const messages = Array.from({ length: 10 }, () => user("x".repeat(400)));
    const read = start(box, { messages, contextTokens: 320 });
    await clock.advance(5_000);
    expect(text(read)).toBe("3");
    expect(figures(read).promptTokens).toBe(promptTokens({ messages: messages.slice(0, 3), tools: [] }));
    const single = start(box, { messages: [user("x".repeat(4_000))], contextTokens: 320 });
    await clock.advance(5_000);
    expect(figures(single).promptTokens).toBe(320);
  });

  test("a prompt that does not fit is refused where it may not be cut, and gives its slot back", async () => {
    const { box, clock } = smallBox();
    const long = { messages: [user("x".repeat(4_000))], contextTokens: 320, truncates: false };
    const read = start(box, long);
    await clock.advance(5_000);
    expect(read.error).toMatchObject({ code: "context_length" });
    expect(read.chunks).toEqual([]);
    expect(box.stats().generating).toBe(0);
  });

  test("an answer that fills the context ends by length where nothing may be pushed out", async () => {
    const { box, clock } = smallBox();
    const messages = [user("x".repeat(4 * 36))];
    const full = start(box, { messages, contextTokens: 43, shifts: false });
    await clock.advance(5_000);
    expect(text(full)).toBe("one two three");
    expect(full.chunks.at(-1)).toMatchObject({ reason: "length", figures: { promptTokens: 40 } });
    const shifted = start(box, { messages, contextTokens: 43 });
    await clock.advance(5_000);
    expect(text(shifted)).toBe("one two three four five");
  });
});
