// A number that a workload draws anew for each child or turn: a plain figure, or one of a few shapes cut to bounds.

import { z } from "zod";
import type { Random } from "../../src/base/ids.ts";

const amount = z.number().nonnegative();
const cut = { min: amount.optional(), max: amount.optional() };

/** As it stands in a workload file: `7`, or one key that names the shape. */
export const distributionSchema = z.union([
  amount,
  z.strictObject({ uniform: z.strictObject({ min: amount, max: amount }) }),
  z.strictObject({ lognormal: z.strictObject({ median: z.number().positive(), sigma: amount, ...cut }) }),
  z.strictObject({ exponential: z.strictObject({ mean: z.number().positive(), ...cut }) }),
  z.strictObject({
    pareto: z.strictObject({
      min: z.number().positive(),
      alpha: z.number().positive(),
      max: amount.optional(),
    }),
  }),
  z.strictObject({ one_of: z.array(amount).min(1) }),
]);

export type Distribution = z.infer<typeof distributionSchema>;

interface Cut {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** One draw; a plain figure draws nothing from the source. */
export function draw(distribution: Distribution, random: Random): number {
  if (typeof distribution === "number") return distribution;
  if ("uniform" in distribution) {
    const { min, max } = distribution.uniform;
    return min + (max - min) * random.next();
  }
  if ("lognormal" in distribution) {
    const { median, sigma, ...bounds } = distribution.lognormal;
    return within(median * Math.exp(sigma * normal(random)), bounds);
  }
  if ("exponential" in distribution) {
    const { mean, ...bounds } = distribution.exponential;
    return within(-mean * Math.log(1 - random.next()), bounds);
  }
  if ("pareto" in distribution) {
    const { min, alpha, max } = distribution.pareto;
    return within(min * (1 - random.next()) ** (-1 / alpha), { max });
  }
  const { one_of: choices } = distribution;
  return choices[Math.floor(random.next() * choices.length)] as number;
}

/** The same, rounded to a whole number of at least `least`. */
export function drawCount(distribution: Distribution, random: Random, least = 1): number {
  return Math.max(least, Math.round(draw(distribution, random)));
}

function within(value: number, { min = 0, max = Number.POSITIVE_INFINITY }: Cut): number {
  return Math.min(Math.max(value, min), max);
}

/** A standard normal draw (Box and Muller), always from two numbers of the source. */
function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}
