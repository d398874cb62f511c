import { describe, expect, test } from "vitest";
import { checkPriced, costMicros } from "../../src/core/price.ts";

const PRICES = { promptPriceMicros: 3_000_000, outputPriceMicros: 15_000_000 };
const MODEL = { ref: { provider: "cloud", model: "big", backend: "cloud" }, ...PRICES };

describe("costMicros", () => {
  test("multiplies by the price of a million, and rounds up", () => {
    expect(costMicros({ promptTokens: 1_000, outputTokens: 100 }, PRICES)).toBe(3_000 + 1_500);
    expect(
      costMicros({ promptTokens: 1, outputTokens: 0 }, { promptPriceMicros: 1, outputPriceMicros: 0 }),
    ).toBe(1);
  });

  test("takes the prompt's price for what came from a cache where no other is known", () => {
    const tokens = { promptTokens: 1_000, cachedPromptTokens: 800, outputTokens: 0 };
    expect(costMicros(tokens, PRICES)).toBe(3_000);
    expect(costMicros(tokens, { ...PRICES, cachedPromptPriceMicros: 300_000 })).toBe(600 + 240);
  });

  test("takes no more from a cache than there was", () => {
    const tokens = { promptTokens: 10, cachedPromptTokens: 999, outputTokens: 0 };
    expect(costMicros(tokens, { ...PRICES, cachedPromptPriceMicros: 0 })).toBe(0);
  });
});

describe("checkPriced", () => {
  test("lets models of this box and models with a price pass, be it 0", () => {
    expect(() => checkPriced(MODEL, true)).not.toThrow();
    expect(() => checkPriced({ ...MODEL, priced: true }, false)).not.toThrow();
  });

  test("refuses a cloud's model without one, and names the keys", () => {
    expect(() => checkPriced({ ...MODEL, priced: false }, false)).toThrow(
      expect.objectContaining({ code: "price_unknown" }),
    );
    expect(() => checkPriced(MODEL, false)).toThrow(/providers\.cloud\.models\.big/);
  });
});
