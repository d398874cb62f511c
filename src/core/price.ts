// What generations cost, from a model's prices: micros of the account's currency for a million tokens. Pure. A model
// of this box costs nothing; one of a cloud without a price is refused where money is limited, never taken as free.

import { LimitError } from "../base/errors.ts";
import type { ModelSettings } from "./settings.ts";

/** The prices of one model; `priced` says that a person has written them down, be they 0. */
export type Prices = Pick<
  ModelSettings,
  "promptPriceMicros" | "cachedPromptPriceMicros" | "outputPriceMicros" | "priced"
>;

export interface PricedTokens {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** The part of the prompt that the server read from its cache; 0 when absent. */
  readonly cachedPromptTokens?: number;
}

/** Tokens that a price is for. */
export const PER_PRICE = 1_000_000;

/** The cost in whole micros, rounded up. */
export function costMicros(tokens: PricedTokens, prices: Prices): number {
  const { promptPriceMicros, outputPriceMicros } = prices;
  const cachedPrice = prices.cachedPromptPriceMicros ?? promptPriceMicros;
  const cached = Math.min(tokens.cachedPromptTokens ?? 0, tokens.promptTokens);
  const fresh = tokens.promptTokens - cached;
  const price = fresh * promptPriceMicros + cached * cachedPrice + tokens.outputTokens * outputPriceMicros;
  return Math.ceil(price / PER_PRICE);
}

/** Throws LimitError `price_unknown` for a model of a cloud whose price nobody has written down. */
export function checkPriced(model: Pick<ModelSettings, "ref"> & Prices, isLocal: boolean): void {
  if (isLocal || model.priced === true) return;
  const { provider, model: name } = model.ref;
  const key = `providers.${provider}.models.${name}`;
  throw new LimitError(
    "price_unknown",
    `A budget of money is set, and the config has no price of ${provider}/${name}. Write prompt_price_micros and ` +
      `output_price_micros under ${key} (0 where it costs nothing), or leave cost_micros out of the budget.`,
    { details: { config_key: `${key}.prompt_price_micros`, model: `${provider}/${name}` } },
  );
}
