// The models that are loaded and unloaded at our command, on all servers of the box: passes the scheduler's commands on,
// tells it what became of them, and counts who uses what. On a box without such servers it does nothing.

import type { Provider } from "../../providers/provider.ts";
import type { Clock } from "../base/clock.ts";
import { ProviderError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { findModel } from "../config/models.ts";
import type { ResidencyView } from "../core/box-api.ts";
import { SERVER_AWAY } from "../core/lifecycle.ts";
import { loadProfileOf, profileKey, type LoadProfile } from "../core/load-profile.ts";
import type { BackendSettings, Settings } from "../core/settings.ts";
import type { ModelRef } from "../core/task.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { capsOf } from "./backend-caps.ts";
import { type Enrolment, UNWATCHED } from "./inspection.ts";
import { Outages } from "./outages.ts";
import { ResidencyServer } from "./residency-server.ts";

export interface ResidencyOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly inspection?: Enrolment;
  readonly scheduler: Pick<Scheduler, "setResidency" | "setBackend" | "setAway" | "counts">;
  readonly providerOf: (ref: ModelRef) => Provider;
}

/** One generation, as long as its connection is open. */
export interface GenerationUse {
  /** May be called twice. `thrown` is what went wrong. */
  end(thrown?: unknown): void;
}

export class Residency {
  /** The servers of this box that are away, whoever keeps their models. */
  readonly outages: Outages;
  readonly #options: ResidencyOptions;
  readonly #servers: ReadonlyMap<string, ResidencyServer>;

  constructor(options: ResidencyOptions) {
    this.#options = options;
    const { backends, routing } = options.settings;
    this.outages = new Outages({
      ...options,
      clientOf: (name) => {
        const place = backends.find((each) => each.name === name);
        if (place?.local !== true) return null;
        return options.providerOf({ provider: place.provider, backend: name, model: "" });
      },
      welcome: (name) => this.#servers.get(name)?.look() ?? Promise.resolve(),
      onChange: (name, away) => options.scheduler.setAway(name, away),
      mostMs: routing.maxOutageMs,
    });
    const ours = backends.flatMap((backend) => {
      const server = this.#serverOf(backend);
      return server ? [[backend.name, server] as const] : [];
    });
    this.#servers = new Map(ours);
  }

  /** Begins to look at the servers, and resolves when each was looked at once: what is in memory need not be loaded. */
  async start(): Promise<void> {
    await Promise.all(Array.from(this.#servers.values(), (server) => server.start()));
  }

  command(signal: {
    readonly type: "load" | "unload";
    readonly backend: string;
    readonly profile: string;
  }): void {
    this.#servers.get(signal.backend)?.command(signal.type, signal.profile);
  }

  /** The profile of a model on its backend; `null` where nothing is loaded at our command, or the config has it no more. */
  profileOf({ provider, model, backend }: ModelRef): LoadProfile | null {
    const { settings } = this.#options;
    const found = findModel(settings.models, `${provider}/${model}`);
    const place = settings.backends.find(({ name }) => name === backend);
    return found ? loadProfileOf(found, place) : null;
  }

  /** What a profile takes of the GPU's memory, as far as somebody could tell. */
  sizeOf(profile: LoadProfile | null): number | null {
    return profile && (this.#servers.get(profile.backend)?.sizeOf(profileKey(profile)) ?? null);
  }

  /** A model that was removed may be there again: looks before a turn is told that it is not. Never rejects. */
  async seek(model: ModelRef): Promise<void> {
    const profile = this.profileOf(model);
    if (profile) await this.#servers.get(profile.backend)?.seek(profileKey(profile));
  }

  /**
   * Counts a generation in; its `end` is called when its connection is closed.
   * Contract: throws ProviderError when the model cannot be had now, with why and until when.
   */
  enter(model: ModelRef): GenerationUse {
    const profile = this.profileOf(model);
    const key = profileKey(profile);
    const server = profile && this.#servers.get(profile.backend);
    const use = server?.use(key) ?? null;
    let open = true;
    const end = (thrown?: unknown): void => {
      if (!open) return;
      open = false;
      use?.end();
      // A model that answered is there: a server that was away is back, sooner than the next look.
      const isNews = thrown === undefined && server?.stateOf(key) === "absent";
      if (isNews || tellsOfServer(thrown)) server?.suspect();
    };
    return { end };
  }

  /** The profiles of these backends of which there is something to say. */
  views(backends: readonly string[]): readonly ResidencyView[] {
    return backends
      .flatMap((name) => this.#servers.get(name)?.views() ?? [])
      .map((view) => this.#named(view));
  }

  isForeign(backends: readonly string[], model: string): boolean {
    return backends.some((name) => this.#servers.get(name)?.isForeign(model));
  }

  close(): void {
    this.outages.close();
    for (const server of this.#servers.values()) server.close();
  }

  /** A model whose server is away is told with that. */
  #named(view: ResidencyView): ResidencyView {
    const message = this.outages.wordsOf(view.backend);
    if (view.phase !== "away" || message === null) return view;
    return { ...view, problem: { code: SERVER_AWAY, message } };
  }

  #serverOf(backend: BackendSettings): ResidencyServer | null {
    const { settings, clock, logger, scheduler, providerOf } = this.#options;
    const { residency } = backend;
    if (residency === undefined) return null;
    const models = settings.models.filter(({ ref }) => ref.backend === backend.name);
    const profiles = new Map(
      models.map((model) => {
        const profile = loadProfileOf(model, backend);
        return [profileKey(profile), profile as LoadProfile];
      }),
    );
    const ref = { provider: backend.provider, backend: backend.name, model: "" };
    return new ResidencyServer({
      backend: backend.name,
      profiles: [...profiles.values()],
      provider: () => providerOf(models[0]?.ref ?? ref),
      clock,
      logger,
      inspection: this.#options.inspection ?? UNWATCHED,
      drainMs: settings.cancelDeadlineMs,
      report: (report) => scheduler.setResidency(report),
      onReach: (isThere, askedAt) => this.outages.noticed(backend.name, isThere, askedAt),
      isBusy: () => {
        const { leases, waiting } = scheduler.counts();
        return leases + waiting > 0;
      },
      onForeignBytes: (bytes) => {
        if (residency.vramBytes === null) return;
        const vramBytes = Math.max(0, residency.vramBytes - bytes);
        scheduler.setBackend(capsOf({ ...backend, residency: { vramBytes } }, settings));
      },
    });
  }
}

/** What went wrong may be that the server has gone, or no longer has the model. */
function tellsOfServer(thrown: unknown): boolean {
  if (!(thrown instanceof ProviderError)) return false;
  return thrown.providerKind === "network" || thrown.code === "model_not_found";
}
