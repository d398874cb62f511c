// What the simulated box has: GPUs, models and rates. Plain data with defaults; nothing is read from outside.
// The figures are chosen so that a demonstration takes seconds. They are not measurements of any card or model.

import { chatPolicy } from "./policies/chat.ts";
import { orchestratorPolicy } from "./policies/orchestrator.ts";
import { workerPolicy } from "./policies/worker.ts";
import type { Policy } from "./policy.ts";

const KIB = 1_024;
const GIB = 1_024 ** 3;

/** One card. Only its memory counts; speed belongs to the models. */
export interface SimulatedGpu {
  readonly id: string;
  readonly vramBytes: number;
}

/** A model by rule, with the weights, speed and abilities that a real one of its kind might have. */
export interface SimulatedModel {
  /** With or without a tag; `:latest` is understood, as Ollama does. */
  readonly name: string;
  readonly policy: Policy;
  readonly sizeBytes: number;
  readonly kvBytesPerToken: number;
  /** The longest context it takes; a larger `num_ctx` is lowered to it. */
  readonly contextTokens: number;
  readonly parameters: string;
  readonly tools: boolean;
  readonly thinking: boolean;
  readonly loadMs: number;
  /** Forces the number of slots, as Ollama does with 1 for some families. */
  readonly slots?: number;
  readonly prefillTokensPerS?: number;
  readonly decodeTokensPerS?: number;
}

/** Everything that can be chosen of the box; times are milliseconds, rates are tokens per second. */
export interface SimulatorConfig {
  readonly gpus: readonly SimulatedGpu[];
  readonly models: readonly SimulatedModel[];
  /** Generations at once on one loaded model (`OLLAMA_NUM_PARALLEL`). */
  readonly slots: number;
  /** Requests that may wait for a model that is not loaded (`OLLAMA_MAX_QUEUE`); more are answered 503. */
  readonly maxQueue: number;
  /** How long an idle model stays loaded when the request says nothing; negative means for ever. */
  readonly keepAliveMs: number;
  readonly unloadMs: number;
  /** Load times are spread by this share, drawn from the seeded source: 0.1 gives ±10 %. */
  readonly loadJitter: number;
  readonly prefillTokensPerS: number;
  readonly decodeTokensPerS: number;
  /** With b generations at once, each runs 1 + batchSlowdown·(b−1) times slower. */
  readonly batchSlowdown: number;
  /** The context window of a request that names none. */
  readonly defaultContextTokens: number;
}

/** Largest first. Orchestrator and worker fit together on the default GPU, at two slots of 16,384 tokens each. */
export const DEFAULT_MODELS: readonly SimulatedModel[] = [
  {
    name: "sim-orchestrator",
    policy: orchestratorPolicy,
    sizeBytes: 4 * GIB,
    kvBytesPerToken: 16 * KIB,
    contextTokens: 32_768,
    parameters: "8.0B",
    tools: true,
    thinking: false,
    loadMs: 1_500,
  },
  {
    name: "sim-worker",
    policy: workerPolicy,
    sizeBytes: 2 * GIB,
    kvBytesPerToken: 8 * KIB,
    contextTokens: 32_768,
    parameters: "3.0B",
    tools: true,
    thinking: false,
    loadMs: 1_000,
  },
  {
    name: "sim-thinker",
    policy: chatPolicy,
    sizeBytes: 1.5 * GIB,
    kvBytesPerToken: 8 * KIB,
    contextTokens: 32_768,
    parameters: "2.0B",
    tools: false,
    thinking: true,
    loadMs: 800,
  },
  {
    name: "sim-chat",
    policy: chatPolicy,
    sizeBytes: 1 * GIB,
    kvBytesPerToken: 8 * KIB,
    contextTokens: 8_192,
    parameters: "1.0B",
    tools: false,
    thinking: false,
    loadMs: 600,
  },
];

/** A box on which a demonstration with three children takes about twenty seconds. */
export const DEFAULT_SIMULATOR_CONFIG: SimulatorConfig = {
  gpus: [{ id: "gpu0", vramBytes: 12 * GIB }],
  models: DEFAULT_MODELS,
  slots: 2,
  maxQueue: 512,
  keepAliveMs: 300_000,
  unloadMs: 300,
  loadJitter: 0.1,
  prefillTokensPerS: 2_500,
  decodeTokensPerS: 60,
  batchSlowdown: 0.2,
  defaultContextTokens: 4_096,
};

/** A model's name with its tag, as the server lists it. */
export function taggedName(name: string): string {
  return name.includes(":") ? name : `${name}:latest`;
}
