// What a model is loaded with, and whether a request can use it as it is loaded. Pure. A request that asks for other
// runner options than those in memory makes the server load the model anew; options that only steer sampling do not.

import type { RunnerOptionValues, SimulatedGpu, SimulatedModel, SimulatorConfig } from "./config.ts";

/** The options for which Ollama loads a model anew, beside its context. */
const RELOADING = [
  "num_batch",
  "num_gpu",
  "main_gpu",
  "use_mmap",
  "num_thread",
  "draft_num_predict",
] as const;

/** Families that Ollama gives one slot whatever it was told, since they cannot take several prompts at once. */
const SINGLE_SLOT_FAMILIES: ReadonlySet<string> = new Set([
  "mllama",
  "qwen3vl",
  "qwen3vlmoe",
  "qwen35",
  "qwen35moe",
  "qwen3next",
  "lfm2",
  "lfm2moe",
  "nemotron_h",
  "nemotron_h_moe",
  "nemotron_h_omni",
]);

const GIB = 1_024 ** 3;

/** What a model is loaded with. */
export interface RunnerSetup {
  readonly contextTokens: number;
  /** Whether nobody has asked for that context: the server chose it. */
  readonly autoContext: boolean;
  /** Only what was asked for; the rest is the server's choice. */
  readonly options: RunnerOptionValues;
}

/** What of a request decides on its setup. */
export interface SetupDemand {
  readonly model: SimulatedModel;
  readonly contextTokens: number | null;
  readonly runnerOptions?: RunnerOptionValues;
}

/** The context of a request that names none: by the memory of all GPUs together, unless the config says. */
export function defaultContext(config: Pick<SimulatorConfig, "defaultContextTokens" | "gpus">): number {
  if (config.defaultContextTokens !== null) return config.defaultContextTokens;
  const gib = config.gpus.reduce((sum: number, gpu: SimulatedGpu) => sum + gpu.vramBytes, 0) / GIB;
  if (gib >= 47) return 262_144;
  return gib >= 23 ? 32_768 : 4_096;
}

/** How many generations at once a loaded model takes. */
export function slotsOf(model: SimulatedModel, configured: number): number {
  if (model.slots !== undefined) return model.slots;
  return model.family !== undefined && SINGLE_SLOT_FAMILIES.has(model.family) ? 1 : configured;
}

/** What the request's model would be loaded with: its own options outrank those of the model. */
export function setupFor(demand: SetupDemand, config: SimulatorConfig): RunnerSetup {
  const given: RunnerOptionValues = { ...demand.model.options, ...demand.runnerOptions };
  const ofModel = demand.model.options?.["num_ctx"];
  const asked = demand.contextTokens ?? (typeof ofModel === "number" ? ofModel : null);
  const options = RELOADING.flatMap((name) => {
    const value = given[name];
    return typeof value === "number" || typeof value === "boolean" ? [[name, value] as const] : [];
  });
  // Whether an answer may push the oldest turns out is fixed when the model is loaded.
  const shift = given["shift"] === false ? { shift: false } : {};
  return {
    contextTokens: Math.min(asked ?? defaultContext(config), demand.model.contextTokens),
    autoContext: asked === null,
    options: { ...Object.fromEntries(options), ...shift },
  };
}

/** Whether what is in memory serves a request that wants this setup. */
export function serves(running: RunnerSetup, wanted: RunnerSetup): boolean {
  const bothAuto = running.autoContext && wanted.autoContext;
  if (!bothAuto && running.contextTokens !== wanted.contextTokens) return false;
  // Layers that the server may choose suit it as they are.
  const layers = wanted.options["num_gpu"];
  const chosenByServer = layers === undefined || Number(layers) < 0;
  const names = new Set([...Object.keys(running.options), ...Object.keys(wanted.options)]);
  if (chosenByServer) names.delete("num_gpu");
  return [...names].every((name) => running.options[name] === wanted.options[name]);
}
