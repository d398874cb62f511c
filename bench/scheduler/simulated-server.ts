// The simulated Ollama (src/simulator) as the model server of a contender, by the door for programs that have no
// texts: prompts are lengths, nothing is served over HTTP, and a turn costs a few timers.

import type { Clock } from "../../src/base/clock.ts";
import type { Random } from "../../src/base/ids.ts";
import { SimulatedBox } from "../../src/simulator/box.ts";
import {
  DEFAULT_MODELS,
  DEFAULT_SIMULATOR_CONFIG,
  OLLAMA_LIKE,
  type SimulatedModel,
  type SimulatorConfig,
} from "../../src/simulator/config.ts";
import { predictedBytes } from "../../src/simulator/placement.ts";
import { preload, takeTurn } from "../../src/simulator/turn.ts";
import type { LoadedModel, ModelServer, ServerFacts } from "./model-server.ts";
import { serverFarm } from "./server-farm.ts";
import type { Workload, WorkloadModel } from "./workload.ts";

const KIB = 1_024;
const GIB = 1_024 ** 3;
const FOR_EVER_MS = -1;

export interface SimulatedServerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Whether turns name a `keep_alive`, as many clients do; it is what Ollama's deadlock needs. */
  readonly namesKeepAlive: boolean;
}

/** Servers of its own for one run. Contract: `ModelServer`'s. */
export function simulatedServer(workload: Workload, options: SimulatedServerOptions): ModelServer {
  const servers = workload.box.servers_from_s.map(() => oneServer(workload, options));
  return servers.length === 1 ? (servers[0] as ModelServer) : serverFarm(servers, options.clock);
}

function oneServer(
  workload: Workload,
  { clock, random, namesKeepAlive }: SimulatedServerOptions,
): ModelServer {
  const config = simulatorConfig(workload);
  const box = new SimulatedBox({ clock, random, config });
  const contextOf = new Map(workload.models.map((model) => [model.name, model.context_tokens]));
  const load = async (model: string): Promise<void> => {
    const contextTokens = contextOf.get(model) as number;
    await preload(box, { model, contextTokens, keepAliveMs: FOR_EVER_MS });
  };
  const found = (model: string): boolean => box.loaded().some(({ runner }) => runner.model.name === model);
  let before = 0;
  return {
    facts: serverFacts(workload, config),
    generate: ({ model, conversation, promptTokens, sharedTokens, outputTokens, onFirstToken }, signal) =>
      takeTurn(box, {
        model,
        prompt: [
          ...(sharedTokens > 0 ? [{ key: `every prompt for ${model}`, tokens: sharedTokens }] : []),
          { key: conversation, tokens: promptTokens - sharedTokens },
        ],
        outputTokens,
        contextTokens: contextOf.get(model) as number,
        ...(namesKeepAlive && { keepAliveMs: config.keepAliveMs }),
        signal,
        onFirstToken,
      }),
    load,
    unload: async (name) => {
      const model = box.model(name);
      if (model === null || !found(name)) return;
      const gone = new Promise<void>((resolve) => {
        const stop = box.onChange(() => {
          if (found(name)) return;
          stop();
          resolve();
        });
      });
      box.unload(model);
      await gone;
    },
    loaded: () => Promise.resolve(loadedModels(box)),
    stats: () => {
      const { loads, refused, waitingModel, waitingSlot, generating, busyMs, abortedTokens } = box.stats();
      const inFlight = waitingModel + waitingSlot + generating;
      return { loads: loads - before, refused, inFlight, busyMs, abortedTokens };
    },
    warmUp: async () => {
      const first = workload.models.filter((model) => model.loaded);
      for (const { name } of first) await load(name);
      before = box.stats().loads;
    },
    close: () => box.close(),
  };
}

/** What of a workload the simulator is told; the rest is as a real Ollama does it. */
export function simulatorConfig({ box, models }: Workload): SimulatorConfig {
  return {
    ...DEFAULT_SIMULATOR_CONFIG,
    ...OLLAMA_LIKE,
    gpus: box.gpus.map(({ vram_gib }, at) => ({ id: `gpu${at}`, vramBytes: vram_gib * GIB })),
    models: models.map(simulatedModel),
    slots: box.np,
    maxQueue: box.max_queue,
    keepAliveMs: box.keep_alive_s * 1_000,
    unloadMs: box.unload_s * 1_000,
    loadJitter: box.load_jitter,
    prefillTokensPerS: box.prefill_tokens_per_s,
    decodeTokensPerS: box.decode_tokens_per_s,
    batchSlowdown: box.batch_slowdown,
    modelSlowdown: box.model_slowdown,
    promptCache: box.prompt_cache
      ? {
          ...(OLLAMA_LIKE.promptCache as NonNullable<SimulatorConfig["promptCache"]>),
          hostBytes: box.host_cache_gib * GIB,
        }
      : null,
    deadlock: box.deadlock,
  };
}

/** What a simulated model is for a chat: never asked here, since nothing is said. */
function simulatedModel(model: WorkloadModel): SimulatedModel {
  const [like] = DEFAULT_MODELS as readonly [SimulatedModel, ...SimulatedModel[]];
  return {
    ...like,
    name: model.name,
    sizeBytes: model.size_gib * GIB,
    kvBytesPerToken: model.kv_kib_per_token * KIB,
    contextTokens: model.context_tokens,
    loadMs: model.load_s * 1_000,
    ...(model.np !== undefined && { slots: model.np }),
    ...(model.prefill_tokens_per_s !== undefined && { prefillTokensPerS: model.prefill_tokens_per_s }),
    ...(model.decode_tokens_per_s !== undefined && { decodeTokensPerS: model.decode_tokens_per_s }),
  };
}

function serverFacts({ box, models }: Workload, config: SimulatorConfig): ServerFacts {
  return {
    serversFromMs: box.servers_from_s.map((from) => from * 1_000),
    vramBytes: config.gpus.reduce((sum, gpu) => sum + gpu.vramBytes, 0),
    models: models.map((model) => {
      const np = model.np ?? box.np;
      const bytes = predictedBytes(simulatedModel(model), model.context_tokens, np);
      const coldPrefillTokensPerS = model.prefill_tokens_per_s ?? box.prefill_tokens_per_s;
      return { name: model.name, np, bytes, contextTokens: model.context_tokens, coldPrefillTokensPerS };
    }),
  };
}

function loadedModels(box: SimulatedBox): readonly LoadedModel[] {
  return box
    .loaded()
    .filter(({ runner }) => runner.state === "resident")
    .map(({ runner }) => ({ model: runner.model.name, vramBytes: runner.vramBytes }));
}
