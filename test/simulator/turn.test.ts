import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { SimulatedBox } from "../../src/simulator/box.ts";
import { DEFAULT_SIMULATOR_CONFIG, OLLAMA_LIKE } from "../../src/simulator/config.ts";
import { generate } from "../../src/simulator/generation.ts";
import { say } from "../../src/simulator/policy.ts";
import { preload, takeTurn, type PlainTurn } from "../../src/simulator/turn.ts";
import { generationRequest, model, named, reading, smallBox, SMALL, user } from "./fixtures.ts";

const CACHE = { hostBytes: 1_000, entryBytes: 100, bytesPerToken: 1 };

const turn = (more: Partial<PlainTurn> = {}): PlainTurn => ({
  model: "a",
  prompt: [{ key: "talk", tokens: 100 }],
  outputTokens: 5,
  ...more,
});

describe("a turn in plain figures", () => {
  test("N3 takes load, prompt and output, and says so", async () => {
    const { box, clock } = smallBox();
    const taken = takeTurn(box, turn());
    await clock.advance(1_150);
    expect(await taken).toEqual({
      totalMs: 1_150,
      loadMs: 1_000,
      waitMs: 0,
      promptTokens: 100,
      cachedTokens: 0,
      promptMs: 100,
      outputTokens: 5,
      outputMs: 50,
    });
    expect(box.stats()).toMatchObject({ computedPromptTokens: 100, outputTokens: 5, busyMs: 150 });
  });

  test("takes as long as a chat of the same lengths, token by token, whoever else is at work", async () => {
    const figures = async (plain: boolean) => {
      const { box, clock } = smallBox({
        slots: 3,
        batchSlowdown: 0.3,
        models: [model("a", { policy: () => say("w ".repeat(50)) })],
      });
      await Promise.all([preload(box, { model: "a" }), clock.advance(1_000)]);
      const chat = reading(
        generate(box, generationRequest(named(box, "a"), { messages: [user("x".repeat(384))] })),
      );
      await clock.advance(37);
      const prompt = [{ key: "other", tokens: 200 }];
      const other = takeTurn(box, turn({ prompt, outputTokens: 12 }));
      const same = plain
        ? takeTurn(box, turn({ prompt: [{ key: "x", tokens: 100 }], outputTokens: 51 }))
        : null;
      const chats = plain
        ? null
        : reading(generate(box, generationRequest(named(box, "a"), { messages: [user("x".repeat(384))] })));
      await clock.advance(20_000);
      const last = (chats ?? chat).chunks.at(-1);
      return [await other, same ? await same : last?.type === "done" ? last.figures : null];
    };
    expect(await figures(true)).toEqual(await figures(false));
  });

  test("tells of the first token when a response's headers would come", async () => {
    const { box, clock } = smallBox();
    let at = 0;
    const taken = takeTurn(box, turn({ onFirstToken: () => (at = clock.monotonic()) }));
    await clock.advance(5_000);
    expect([at, (await taken).totalMs]).toEqual([1_000 + 100 + 10, 1_150]);
  });

  test("an abort rejects at once and gives the slot back", async () => {
    const { box, clock } = smallBox();
    const controller = new AbortController();
    const gone = takeTurn(box, turn({ signal: controller.signal })).catch((error: unknown) => String(error));
    await clock.advance(1_120);
    controller.abort(new Error("gone"));
    expect(await gone).toBe("Error: gone");
    expect(box.stats().generating).toBe(0);
    expect(clock.pending).toBe(1); // the keep-alive alone
  });

  test("a stubborn prompt keeps its slot until it is read, though its client has gone", async () => {
    const { box, clock } = smallBox({ stubbornPrompts: true });
    const controller = new AbortController();
    const gone = takeTurn(box, turn({ signal: controller.signal })).catch((error: unknown) => String(error));
    await clock.advance(1_020);
    controller.abort(new Error("gone"));
    expect(await gone).toBe("Error: gone");
    const next = takeTurn(box, turn());
    await clock.advance(79);
    expect(box.stats()).toMatchObject({ generating: 1, waitingSlot: 1 });
    await clock.advance(1_000);
    expect((await next).waitMs).toBe(80);
    expect(box.stats()).toMatchObject({ generating: 0, waitingSlot: 0 });
  });

  test("a model that is not there is refused", async () => {
    const { box } = smallBox();
    await expect(takeTurn(box, turn({ model: "none" }))).rejects.toMatchObject({ code: "model_not_found" });
    await expect(preload(box, { model: "none" })).rejects.toMatchObject({ code: "model_not_found" });
  });
});

describe("the prompt cache", () => {
  test("a conversation that goes on computes what is new, and an unload forgets it", async () => {
    const { box, clock } = smallBox({ promptCache: CACHE });
    const take = async (tokens: number) => {
      const taken = takeTurn(box, turn({ prompt: [{ key: "talk", tokens }] }));
      await clock.advance(3_000);
      return await taken;
    };
    await take(100);
    expect(await take(125)).toMatchObject({ promptTokens: 125, cachedTokens: 105, promptMs: 20 });
    box.unload(named(box, "a"));
    await clock.advance(100);
    expect(await take(150)).toMatchObject({ cachedTokens: 0, promptMs: 150 });
  });

  test("a chat that goes on is known by its words", async () => {
    const { box, clock } = smallBox({ promptCache: CACHE });
    const chat = (messages: readonly ReturnType<typeof user>[]) =>
      reading(generate(box, generationRequest(named(box, "a"), { messages })));
    const first = chat([user("x".repeat(400))]);
    await clock.advance(5_000);
    const said = first.chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");
    const answer = { ...user(said), role: "assistant" as const };
    const second = chat([user("x".repeat(400)), answer, user("more")]);
    await clock.advance(5_000);
    const last = second.chunks.at(-1);
    expect(last).toMatchObject({
      figures: { promptTokens: 104 + 10 + 5, cachedTokens: 104 + 10, promptMs: 5 },
    });
  });
});

test("a hundred children of ten turns on two models cost a few timers each", async () => {
  let timers = 0;
  class CountingClock extends SimulatedClock {
    override after(delayMs: number, callback: () => void) {
      timers += 1;
      return super.after(delayMs, callback);
    }
  }
  const clock = new CountingClock();
  const config = {
    ...DEFAULT_SIMULATOR_CONFIG,
    ...OLLAMA_LIKE,
    deadlock: false,
    models: [model("a", { sizeBytes: 80 }), model("b", { sizeBytes: 80 })],
    gpus: SMALL.gpus,
    slots: 4,
  };
  const box = new SimulatedBox({ clock, random: seededRandom(1), config });
  const children = Array.from({ length: 100 }, async (_, child) => {
    for (let at = 1; at <= 10; at++) {
      const prompt = [{ key: `child ${child}`, tokens: 4_000 + at * 700 }];
      await takeTurn(box, { model: child % 2 ? "a" : "b", prompt, outputTokens: 140 });
    }
  });
  await clock.drain();
  await Promise.all(children);
  expect(box.stats()).toMatchObject({ generating: 0, waitingModel: 0, outputTokens: 140_000 });
  // A few timers for each turn, and none for each token.
  expect(timers).toBeLessThan(100 * 10 * 15);
});
