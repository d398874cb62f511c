// A workload file: what arrives at one simulated model server, as a recipe for draws. YAML or JSON, checked here;
// whatever is wrong with it is told with the place and what was expected. bench/workloads/ holds the ones that ship,
// bench/README.md explains the keys.

import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { InvalidRequestError, messageOf } from "../../src/base/errors.ts";
import { distributionSchema } from "./distribution.ts";

const count = z.int().min(1);
const positive = z.number().positive();
const share = z.number().min(0).max(1);
const name = z.string().regex(/^[a-z0-9][a-z0-9._:-]*$/, "expected lower-case letters, digits and . _ : -");

/** One server with its cards. Rates are tokens per second; what a file leaves out is this. */
const boxSchema = z.strictObject({
  /** For each of several equal servers when it is there first; each has all of this. */
  servers_from_s: z.array(z.number().min(0)).min(1).default([0]),
  gpus: z
    .array(z.strictObject({ vram_gib: positive }))
    .min(1)
    .default([{ vram_gib: 24 }]),
  /** Generations at once on one loaded model (`OLLAMA_NUM_PARALLEL`). */
  np: count.default(4),
  max_queue: count.default(512),
  keep_alive_s: z.number().default(300),
  unload_s: z.number().min(0).default(1),
  load_jitter: share.default(0),
  prefill_tokens_per_s: positive.default(2_500),
  decode_tokens_per_s: positive.default(60),
  /** With b generations at once, each takes 1 + batch_slowdown·(b−1) times as long. */
  batch_slowdown: z.number().min(0).default(0.2),
  /** With m models at work on one GPU at once, each takes 1 + model_slowdown·(m−1) times as long. */
  model_slowdown: z.number().min(0).default(1),
  /** Whether a loaded model remembers prompts: one in each slot, and more in the host's memory. */
  prompt_cache: z.boolean().default(true),
  host_cache_gib: z.number().min(0).default(8),
  /** Ollama's bug #17408: a request that passes by revives a model that is being evicted. */
  deadlock: z.boolean().default(false),
});

const modelSchema = z.strictObject({
  name,
  size_gib: positive,
  kv_kib_per_token: z.number().min(0).default(48),
  context_tokens: count.default(32_768),
  load_s: z.number().min(0).default(7),
  /** The parallelism that the server forces on this model, whatever `box.np` says. */
  np: count.optional(),
  prefill_tokens_per_s: positive.optional(),
  decode_tokens_per_s: positive.optional(),
  /** Its part of the children, against the other models' parts. */
  share: z.number().min(0).default(1),
  /** Whether it is loaded when the first request comes. */
  loaded: z.boolean().default(false),
});

/** What Troupe must reach on this workload, as ratios; what is left out is measured and not judged. */
const targetsSchema = z.strictObject({
  /** Makespan ÷ lower bound, at most. */
  over_bound: positive.optional(),
  /** A contender's makespan ÷ Troupe's, at least; `best` is the best of them all. */
  makespan_against: z.record(z.string(), positive).default({}),
  /** A contender's mean completion of a parent ÷ Troupe's, at least. */
  parent_against: z.record(z.string(), positive).default({}),
  /** A contender's p95 of a question's time to first token ÷ Troupe's, at least. */
  first_token_against: z.record(z.string(), positive).default({}),
  /** Troupe's model loads ÷ a contender's, at most; `floor` is the lower bound. */
  swaps_against: z.record(z.string(), positive).default({}),
  jain: share.optional(),
});

export type Targets = z.infer<typeof targetsSchema>;

const arrivalsSchema = z.union([
  z.literal("at_once"),
  z.strictObject({ poisson: z.strictObject({ per_minute: positive }) }),
  z.strictObject({ staggered: z.strictObject({ every_s: z.number().min(0) }) }),
]);

export const workloadSchema = z
  .strictObject({
    name,
    about: z.string().default(""),
    /** The first seed; runs count up from it. */
    seed: z.int().min(0).default(1),
    box: boxSchema.prefault({}),
    models: z.array(modelSchema).min(1),
    parents: z.strictObject({
      count: z.int().min(0),
      children: distributionSchema,
      arrivals: arrivalsSchema.default("at_once"),
    }),
    children: z
      .strictObject({
        turns: distributionSchema.default({ lognormal: { median: 7, sigma: 0.6, min: 1, max: 40 } }),
        /** Of the first prompt. */
        start_tokens: distributionSchema.default({ uniform: { min: 4_000, max: 9_000 } }),
        /** The part of it that all children of a model have in common: instructions and tools. */
        shared_tokens: z.int().min(0).default(0),
        /** What a tool's result adds before the next turn. */
        tokens_per_turn: distributionSchema.default({ lognormal: { median: 560, sigma: 0.5, max: 6_000 } }),
        output_tokens: distributionSchema.default({
          lognormal: { median: 140, sigma: 0.4, min: 8, max: 1_000 },
        }),
        tool_s: distributionSchema.default({ lognormal: { median: 1.5, sigma: 1.2, max: 120 } }),
      })
      .prefault({}),
    /** Children that delegate on and wait: `depth` counts the levels below a parent, so that 1 is none. */
    nesting: z
      .strictObject({ depth: count.max(6), share, children: distributionSchema.default(3) })
      .default({ depth: 1, share: 0, children: 3 }),
    /** Whether contenders that load no models themselves name a `keep_alive` with each turn, as many clients do. */
    keep_alive_in_requests: z.boolean().default(false),
    /** A person's own questions: one turn each. */
    interactive: z
      .strictObject({
        per_minute: positive,
        for_s: positive,
        /** Which model; by share when absent. */
        model: name.optional(),
        prompt_tokens: distributionSchema.default({ uniform: { min: 500, max: 3_000 } }),
        output_tokens: distributionSchema.default({
          lognormal: { median: 120, sigma: 0.4, min: 8, max: 600 },
        }),
      })
      .optional(),
    /** Children that are cancelled from outside, so long after they were spawned. */
    cancel: z.strictObject({ share, after_s: distributionSchema }).optional(),
    targets: targetsSchema.prefault({}),
  })
  .superRefine((workload, context) => {
    const names = workload.models.map((model) => model.name);
    const twice = names.find((each, at) => names.indexOf(each) !== at);
    if (twice !== undefined) refuse(context, ["models"], `expected each model once, got "${twice}" twice`);
    if (workload.models.every((model) => model.share === 0)) {
      refuse(context, ["models"], "expected a share above 0 for one model at least");
    }
    const asked = workload.interactive?.model;
    if (asked !== undefined && !names.includes(asked)) {
      refuse(context, ["interactive", "model"], `expected one of ${names.join(", ")}, got "${asked}"`);
    }
    if (Math.min(...workload.box.servers_from_s) > 0) {
      refuse(context, ["box", "servers_from_s"], "expected one server to be there from 0 s on");
    }
    if (workload.parents.count === 0 && workload.interactive === undefined) {
      refuse(
        context,
        ["parents", "count"],
        "expected something to arrive: a parent or interactive questions",
      );
    }
  });

/** A checked workload, every default filled in. */
export type Workload = z.infer<typeof workloadSchema>;
export type WorkloadModel = Workload["models"][number];

/**
 * Reads the text of a workload file.
 * Contract: throws InvalidRequestError `workload_invalid` that names the file and every place that is wrong.
 */
export function parseWorkload(text: string, file: string): Workload {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw invalid(file, [`expected YAML or JSON, got: ${messageOf(error)}`]);
  }
  const read = workloadSchema.safeParse(document);
  if (read.success) return read.data;
  throw invalid(file, read.error.issues.map(issueLine));
}

/** Contract: `parseWorkload`'s, and the same error for a file that cannot be read. */
export function readWorkload(file: string | URL): Workload {
  const shown = file instanceof URL ? (file.pathname.split("/").at(-1) ?? "") : file;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw invalid(shown, [`expected to read the file, got: ${messageOf(error)}`]);
  }
  return parseWorkload(text, shown);
}

function refuse(context: z.RefinementCtx, path: (string | number)[], message: string): void {
  context.addIssue({ code: "custom", path, message });
}

function issueLine({ path, message }: z.core.$ZodIssue): string {
  const key = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return `${key === "" ? "the file" : key.replace(/^\./, "")}: ${message}`;
}

function invalid(file: string, problems: readonly string[]): InvalidRequestError {
  return new InvalidRequestError(
    "workload_invalid",
    `Expected a workload in ${file}, got:\n${problems.map((line) => `  ${line}`).join("\n")}\nbench/README.md explains the keys.`,
  );
}
