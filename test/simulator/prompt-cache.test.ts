import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { OLLAMA_LIKE } from "../../src/simulator/config.ts";
import {
  headOf,
  PromptCache,
  sharedTokens,
  tokensOf,
  type Prompt,
} from "../../src/simulator/prompt-cache.ts";

const part = (key: string, tokens: number) => ({ key, tokens });
const NO_HOST = { hostBytes: 0, entryBytes: 1, bytesPerToken: 1 };

/** Reads a prompt and remembers it; says what of it was remembered before. */
function read(cache: PromptCache, prompt: Prompt): number {
  const seat = cache.begin(prompt);
  cache.end(seat, prompt);
  return seat.cachedTokens;
}

test("prompts share what is equal from the beginning, as far as both reach", () => {
  const a = [part("system", 10), part("talk", 100)];
  expect(sharedTokens(a, a)).toBe(110);
  expect(sharedTokens(a, [part("system", 10), part("talk", 60)])).toBe(70);
  expect(sharedTokens(a, [part("system", 10), part("other", 60)])).toBe(10);
  expect(sharedTokens(a, [part("system", 8), part("talk", 60)])).toBe(8);
  expect(sharedTokens(a, [part("talk", 60)])).toBe(0);
  expect(headOf(a, 30)).toEqual([part("system", 10), part("talk", 20)]);
  expect(headOf(a, 0)).toEqual([]);
});

describe("slots", () => {
  test("P1 a prompt that is wholly remembered computes one token", () => {
    const cache = new PromptCache(1, NO_HOST);
    expect([read(cache, [part("a", 100)]), read(cache, [part("a", 100)])]).toEqual([0, 99]);
  });

  test("a conversation finds the slot that remembers it, not the one used longest ago", () => {
    const cache = new PromptCache(2, NO_HOST);
    for (const key of ["a", "b"]) read(cache, [part(key, 100)]);
    expect(read(cache, [part("b", 150)])).toBe(100);
    expect(read(cache, [part("a", 150)])).toBe(100);
    expect(read(cache, [part("c", 100)])).toBe(0);
    expect([read(cache, [part("a", 160)]), read(cache, [part("b", 160)])]).toEqual([150, 0]);
  });

  test("a slot at work is never taken", () => {
    const cache = new PromptCache(2, NO_HOST);
    const seats = [cache.begin([part("a", 10)]), cache.begin([part("a", 10)])];
    expect(new Set(seats.map(({ slot }) => slot)).size).toBe(2);
  });
});

describe("the host's cache", () => {
  const config = OLLAMA_LIKE.promptCache;
  if (!config) throw new Error("a real server has a prompt cache");

  /** Conversations that take turns, each a little longer every time: the share that is remembered in the last round. */
  const hitShare = (count: number, tokens: number): number => {
    const cache = new PromptCache(1, config);
    let [hit, total] = [0, 0];
    for (let round = 0; round < 4; round++) {
      for (let talk = 0; talk < count; talk++) {
        const prompt = [part(`talk ${talk}`, tokens + round * 50)];
        const cached = read(cache, prompt);
        if (round === 3) [hit, total] = [hit + cached, total + tokensOf(prompt)];
      }
    }
    return hit / total;
  };

  test.each([
    [6, 12_500, 0.99],
    [9, 12_500, 0],
    [2, 66_000, 0.99],
    [3, 66_000, 0],
  ])("%i conversations of %i tokens are remembered to %f, as ollama#18072 has it", (count, tokens, share) => {
    expect(hitShare(count, tokens)).toBeCloseTo(share, 1);
  });

  test("P2 never takes more than its bytes, and remembers nothing that was not read", () => {
    const talks = fc.array(
      fc.record({ key: fc.constantFrom("a", "b", "c", "d"), tokens: fc.integer({ min: 1, max: 300 }) }),
    );
    fc.assert(
      fc.property(talks, fc.integer({ min: 1, max: 3 }), (turns, slots) => {
        const cache = new PromptCache(slots, { hostBytes: 500, entryBytes: 100, bytesPerToken: 1 });
        const longest = new Map<string, number>();
        for (const { key, tokens } of turns) {
          const cached = read(cache, [part(key, tokens)]);
          expect(cached).toBeLessThanOrEqual(Math.min(tokens - 1, longest.get(key) ?? 0));
          longest.set(key, Math.max(tokens, longest.get(key) ?? 0));
          expect(cache.hostEntries).toBeLessThan(5);
        }
      }),
    );
  });
});
