// What the simulated box has: GPUs, models and rates. Plain data with defaults; nothing is read from outside.
// The figures are chosen so that a demonstration takes seconds. They are not measurements of any card or model.

import { chatPolicy } from "./policies/chat.ts";
import { orchestratorPolicy } from "./policies/orchestrator.ts";
import { workerPolicy } from "./policies/worker.ts";
import type { Policy } from "./policy.ts";
import type { PromptCacheConfig } from "./prompt-cache.ts";

const KIB = 1_024;
const MIB = 1_024 ** 2;
const GIB = 1_024 ** 3;

/** Runner options as a request or a Modelfile gives them, by Ollama's names; those that reload nothing are ignored. */
export type RunnerOptionValues = Readonly<Record<string, unknown>>;

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
  /** Its weights: models with the same ones share a runner, as the aliases of one file do. Its name when absent. */
  readonly blob?: string;
  /** A family that Ollama gives a single slot has one. */
  readonly family?: string;
  /** Runner options of its Modelfile, by Ollama's names (`num_ctx` among them); a request's own outrank them. */
  readonly options?: RunnerOptionValues;
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
  /** How long after an unload the memory is seen to be free, while the head of the queue waits; 5 s at the most. */
  readonly vramRecoveryMs: number;
  /** Models in memory at once (`OLLAMA_MAX_LOADED_MODELS`); 0 is three for each GPU. */
  readonly maxLoadedModels: number;
  /** Whether a model takes all GPUs even where one would do (`OLLAMA_SCHED_SPREAD`). */
  readonly spread: boolean;
  /**
   * How long a load takes before its weights are read: who asks for the model meanwhile stands in the queue like
   * everybody else, and who asks later is served with the load.
   */
  readonly runnerStartMs: number;
  /** A load that makes no progress for so long has failed (`OLLAMA_LOAD_TIMEOUT`). */
  readonly loadTimeoutMs: number;
  /** Load times are spread by this share, drawn from the seeded source: 0.1 gives ±10 %. */
  readonly loadJitter: number;
  readonly prefillTokensPerS: number;
  readonly decodeTokensPerS: number;
  /** With b generations at once, each runs 1 + batchSlowdown·(b−1) times slower. */
  readonly batchSlowdown: number;
  /** With m models at work on one GPU at once, each runs 1 + modelSlowdown·(m−1) times slower. */
  readonly modelSlowdown: number;
  /** The context window of a request that names none; `null` goes by the memory of all GPUs, as Ollama does. */
  readonly defaultContextTokens: number | null;
  /** What a loaded model remembers of its prompts; `null` computes every prompt anew. */
  readonly promptCache: PromptCacheConfig | null;
  /**
   * Whether a request that names a `keep_alive` revives a model that is to go for another one: then nobody unloads
   * it, and the queue stands until that time has passed, or for ever (ollama#17408).
   */
  readonly deadlock: boolean;
  /** Whether a prompt whose client has gone is read to its end all the same (ollama#11889). */
  readonly stubbornPrompts: boolean;
  /** Whether `/api/ps` lists a model that is still being loaded. */
  readonly listsLoading: boolean;
  /** Whether `/api/tags` says what a model can do; older servers leave it to `/api/show`. */
  readonly listsCapabilities: boolean;
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
  vramRecoveryMs: 0,
  maxLoadedModels: 0,
  spread: false,
  runnerStartMs: 0,
  loadTimeoutMs: 300_000,
  loadJitter: 0.1,
  prefillTokensPerS: 2_500,
  decodeTokensPerS: 60,
  batchSlowdown: 0.2,
  modelSlowdown: 0,
  defaultContextTokens: 4_096,
  promptCache: null,
  deadlock: false,
  stubbornPrompts: false,
  listsLoading: false,
  listsCapabilities: true,
};

/**
 * What a real server does and a demonstration is better off without: over the default, for benchmarks and for tests of
 * what must survive it. The figures are those of issues and sources (ADR 0021), not of one card.
 */
export const OLLAMA_LIKE: Partial<SimulatorConfig> = {
  slots: 1,
  unloadMs: 300,
  vramRecoveryMs: 700,
  runnerStartMs: 500,
  modelSlowdown: 1,
  defaultContextTokens: null,
  promptCache: { hostBytes: 8_192 * MIB, entryBytes: 438 * MIB, bytesPerToken: 0.045 * MIB },
  deadlock: true,
  stubbornPrompts: true,
  listsLoading: true,
};

/** A model's name with its tag, as the server lists it. */
export function taggedName(name: string): string {
  return name.includes(":") ? name : `${name}:latest`;
}
