// A workload file for keys: agents on one cloud endpoint, and what is wrong with each of its keys. YAML or JSON.

import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { InvalidRequestError, messageOf } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { distributionSchema, draw, drawCount } from "../scheduler/distribution.ts";

const keySchema = z.strictObject({
  name: z.string().min(1),
  /** What it answers for ever; a key without it works. */
  refuses: z.enum(["auth", "money"]).optional(),
  /** Requests at once; more are answered 429. */
  concurrency: z.int().min(1).default(1_000),
  /** Requests that may begin within any minute; more are answered 429. */
  per_minute: z.int().min(1).optional(),
  /** Whether a 429 says how long to wait. */
  tells: z.boolean().default(false),
  /** A time in which it is answered 429 without a word of how long. */
  outage: z.strictObject({ from_s: z.number().min(0), to_s: z.number().positive() }).optional(),
});

const keyWorkloadSchema = z.strictObject({
  name: z.string().min(1),
  about: z.string().default(""),
  seed: z.int().min(0).default(1),
  agents: z.int().min(1),
  turns: distributionSchema,
  /** Seconds that the endpoint takes for a request. */
  serve_s: distributionSchema,
  tool_s: distributionSchema,
  keys: z
    .array(keySchema)
    .min(1)
    .refine((keys) => keys.some((key) => key.refuses === undefined), "expected one key at least that works")
    .refine((keys) => new Set(keys.map((key) => key.name)).size === keys.length, "expected each name once"),
});

export type KeyWorkload = z.infer<typeof keyWorkloadSchema>;
export type KeyBehaviour = KeyWorkload["keys"][number];

/** Contract: throws InvalidRequestError `workload_invalid` that names the file and every place that is wrong. */
export function parseKeyWorkload(text: string, file: string): KeyWorkload {
  try {
    return keyWorkloadSchema.parse(parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new InvalidRequestError("workload_invalid", `Expected a workload of keys in ${file}, got:\n${why}`);
  }
}

export function readKeyWorkload(file: string | URL): KeyWorkload {
  return parseKeyWorkload(readFileSync(file, "utf8"), String(file));
}

export interface AgentPlan {
  readonly id: string;
  /** Milliseconds at the endpoint, and of the tool afterwards. */
  readonly turns: readonly { readonly serveMs: number; readonly toolMs: number }[];
}

/** The same agents for the same seed. */
export function agentsOf(workload: KeyWorkload, seed: number): readonly AgentPlan[] {
  const random = seededRandom(Math.imul(seed + 1, 0x9e3779b1) >>> 0);
  return Array.from({ length: workload.agents }, (_, at) => ({
    id: `agent-${at + 1}`,
    turns: Array.from({ length: drawCount(workload.turns, random) }, () => ({
      serveMs: draw(workload.serve_s, random) * 1_000,
      toolMs: draw(workload.tool_s, random) * 1_000,
    })),
  }));
}
