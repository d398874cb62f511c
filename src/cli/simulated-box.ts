// A simulated GPU box in this process, and a config that runs on nothing else. For trying Troupe out: its models are
// rules, and everything that shows them says so.

import { serve } from "../base/listen.ts";
import { seededRandom } from "../base/ids.ts";
import type { Clock } from "../base/clock.ts";
import { providerSchema, type Config } from "../core/config-schema.ts";
import { createSimulator } from "../simulator/simulator.ts";
import { DEFAULT_SIMULATOR_CONFIG } from "../simulator/config.ts";

/** The name of its provider: shown wherever a model is. */
export const SIMULATED_PROVIDER = "simulated";

export interface RunningBox {
  readonly url: string;
  close(): Promise<void>;
}

/** Contract: throws ConfigErrors of `serve`; listens on this machine only. */
export async function startSimulatedBox(clock: Clock): Promise<RunningBox> {
  const simulator = createSimulator({ clock, random: seededRandom(1) });
  const listening = await serve((request) => simulator.app.fetch(request), {
    hostname: "127.0.0.1",
    port: 0,
  });
  return {
    url: listening.url,
    close: async () => {
      await listening.close();
      simulator.close();
    },
  };
}

/** The memory of all its GPUs together. */
export const SIMULATED_VRAM_BYTES = DEFAULT_SIMULATOR_CONFIG.gpus.reduce(
  (sum, gpu) => sum + gpu.vramBytes,
  0,
);

/** The config with the simulated box in place of every model server; models that it names are left out. */
export function onSimulatedBox(config: Config, url: string): Config {
  const { model: _model, agents, delegation, ...rest } = config;
  const {
    model: _childModel,
    provider: _provider,
    base_url: _url,
    api_key: _key,
    ...ofDelegation
  } = delegation;
  const withoutModels = Object.entries(agents).map(([name, { model: _agentModel, ...agent }]) => [
    name,
    agent,
  ]);
  return {
    ...rest,
    agents: Object.fromEntries(withoutModels) as Config["agents"],
    delegation: ofDelegation,
    providers: {
      [SIMULATED_PROVIDER]: providerSchema.parse({
        type: "ollama",
        base_url: url,
        slots: DEFAULT_SIMULATOR_CONFIG.slots,
      }),
    },
    gpus: [],
  };
}
