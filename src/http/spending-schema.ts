// What was used and what is left, in the wire's words: the parts of views that count.

import { z } from "zod";
import type { Spending } from "../core/api.ts";
import type { Usage } from "../core/limits.ts";
import type { Wire } from "../core/wire.ts";

const count = z.number().int().min(0);

export const usage = z
  .object({
    prompt_tokens: count,
    output_tokens: count,
    cost_micros: count,
    gpu_ms: z.number().min(0),
    tool_calls: count,
    generations: count,
  })
  .meta({ id: "Usage" }) satisfies z.ZodType<Wire<Usage>>;

const limit = count.nullable().describe("`null` is no limit.");
const budget = z
  .object({ tokens: limit, cost_micros: limit, gpu_ms: limit, tool_calls: limit })
  .meta({ id: "Budget" });

export const spending = z
  .object({
    subtree: usage.describe("Of the task and everything below it."),
    budget: budget.nullable().describe("Its own; `null` where only those above it count."),
    remaining: budget.describe("What its own budget and those above it leave."),
  })
  .meta({ id: "Spending" }) satisfies z.ZodType<Wire<Spending>>;
