// The box as people see it: GPU lanes, model servers, machines, and the switch that stops spawning.

import { inTime } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, NotFoundError, ProviderError } from "../base/errors.ts";
import type {
  BoxApi,
  BoxStatus,
  GpuView,
  KeyView,
  LoadedModel,
  MachineView,
  ProviderView,
} from "../core/box-api.ts";
import type { Settings } from "../core/settings.ts";
import { MACHINE_NAMES, shownMachine } from "../../machines/catalogue.ts";
import type { Provider } from "../../providers/provider.ts";
import type { Store } from "../store/store.ts";
import type { Household } from "./household.ts";
import type { KeyDesk } from "./key-desk.ts";

/** A model server that does not answer within this time is shown as unreachable. */
const LOOK_MS = 2_000;

export interface BoxOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly store: Store;
  readonly household: Household;
  /** The providers of the config by name. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** The API keys of the providers. */
  readonly keys: Pick<KeyDesk, "shown" | "switchKey">;
}

export class Box implements BoxApi {
  readonly #options: BoxOptions;
  readonly #startedAt: number;
  #paused = false;

  constructor(options: BoxOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  async gpus(): Promise<readonly GpuView[]> {
    const { scheduler, residency } = this.#options.household;
    const lanes = scheduler.lanes();
    const names = [...new Set(lanes.map((lane) => lane.gpu ?? lane.backend))];
    return Promise.all(
      names.map(async (gpu) => {
        const backends = lanes.filter((lane) => (lane.gpu ?? lane.backend) === gpu);
        const providers = [...new Set(backends.map((lane) => lane.provider))];
        const loaded = await Promise.all(providers.map((name) => this.#loaded(name)));
        const names = backends.map((lane) => lane.backend);
        const own = [...new Set(names)];
        const isForeign = (model: string): boolean => residency.isForeign(names, model);
        return {
          gpu,
          backends,
          loaded: loaded.flat().map((each) => ({ ...each, foreign: isForeign(each.model) })),
          residency: residency.views(own),
          outages: residency.outages.views(own),
        };
      }),
    );
  }

  providers(): Promise<readonly ProviderView[]> {
    return Promise.all([...this.#options.providers].map(([name, provider]) => this.#look(name, provider)));
  }

  async machine(name: string): Promise<MachineView> {
    const machine = shownMachine(name);
    if (machine) return machine;
    const known = MACHINE_NAMES.join(", ");
    throw new NotFoundError("machine_not_found", `There is no machine "${name}". Known: ${known}.`);
  }

  get paused(): boolean {
    return this.#paused;
  }

  async pause(paused: boolean): Promise<{ readonly paused: boolean }> {
    this.#paused = paused;
    const { household } = this.#options;
    // One that drains begins nothing, whatever is wished; the wish is for who comes after it.
    household.scheduler.pause(paused || household.draining);
    return { paused };
  }

  async switchKey(fingerprint: string, disabled: boolean): Promise<readonly KeyView[]> {
    this.#options.keys.switchKey(fingerprint, disabled);
    const all = [...this.#options.providers.keys()].flatMap((name) => this.#options.keys.shown(name));
    return all.filter((key) => key.fingerprint === fingerprint);
  }

  async status(): Promise<BoxStatus> {
    const { settings, store } = this.#options;
    const tasks = await store.counts();
    return {
      version: settings.version,
      boxId: settings.boxId,
      simulated: settings.simulated,
      paused: this.#paused,
      tasks,
      startedAt: this.#startedAt,
      durability: store.durability,
      storeId: store.storeId,
      newestCursor: (await store.bounds()).newest,
      unsafe: settings.unsafe ?? [],
      recordedAt: null,
    };
  }

  async #loaded(name: string): Promise<readonly Omit<LoadedModel, "foreign">[]> {
    const provider = this.#options.providers.get(name);
    if (!provider) return [];
    try {
      const models = await this.#within((signal) => provider.loaded(signal));
      return models.map((model) => ({
        model: model.name,
        sizeBytes: model.sizeBytes,
        vramBytes: model.vramBytes,
        contextTokens: model.contextTokens,
      }));
    } catch {
      // What cannot be seen is shown as empty here; `providers` says why.
      return [];
    }
  }

  async #look(name: string, provider: Provider): Promise<ProviderView> {
    const keys = this.#options.keys.shown(name);
    const seen = { provider: name, type: provider.type, baseUrl: provider.baseUrl, keys };
    try {
      const [server, models] = await this.#within((signal) =>
        Promise.all([provider.server(signal), provider.models(signal)]),
      );
      return {
        ...seen,
        reachable: true,
        version: server.version,
        problem: null,
        simulated: server.simulated,
        models: models.map((model) => ({
          model: model.name,
          sizeBytes: model.sizeBytes,
          parameters: model.parameters,
          contextTokens: model.contextTokens,
          tools: model.tools,
          thinking: model.thinking,
        })),
      };
    } catch (thrown) {
      return {
        ...seen,
        reachable: false,
        version: null,
        problem: messageOf(thrown),
        simulated: false,
        models: [],
      };
    }
  }

  #within<T>(look: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = (): Error =>
      new ProviderError(
        { kind: "timeout", code: "timeout" },
        `The server did not answer within ${LOOK_MS / 1000} s.`,
      );
    return inTime({ clock: this.#options.clock, ms: LOOK_MS, late }, look);
  }
}
