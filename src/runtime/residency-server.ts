// One model server whose models are loaded and unloaded at our command: its profiles, and a watch that tells each of
// them what the server shows. Models of others are noticed and said, and what they take while at work is not ours.
//
// W1. One look at the server at a time; what it saw of a profile that moved meanwhile is not told to it.
// W2. The server is looked at often while somebody works or waits, else rarely, and never after `close`.
// W3. A look that fails says nothing, unless nobody listens there any more.

import type { LoadedModelInfo } from "../../providers/provider.ts";
import type { Timer } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { ResidencyView } from "../core/box-api.ts";
import type { Residency } from "../core/lifecycle.ts";
import { taggedModel, type LoadProfile } from "../core/load-profile.ts";
import { list, look, removedFailure } from "./residency-moves.ts";
import { findProfile, shapeOf, Strangers } from "./residency-sight.ts";
import type { TenantServer } from "./residency-moves.ts";
import { provideMoves, Tenant } from "./residency-tenant.ts";

/** Between two looks while somebody works or waits, and while nobody does. */
const BUSY_LOOK_MS = 2_000;
const IDLE_LOOK_MS = 30_000;
/** The same while it is away: whoever waits for it asks more often (outages.ts), and lets it be looked at then. */
const AWAY_LOOK_MS = 15_000;
/** Between two looks at the list of models; a model that is deleted under us is noticed by its turns too. */
const LIST_MS = 30_000;

export interface ResidencyServerOptions extends Omit<TenantServer<Tenant>, "onLoaded"> {
  readonly backend: string;
  readonly profiles: readonly LoadProfile[];
  /** What each look saw: whether somebody listens there; and when it began, in monotonic milliseconds. */
  readonly onReach: (isThere: boolean, askedAt: number) => void;
  /** Whether somebody generates or waits on the box. */
  readonly isBusy: () => boolean;
  /** What models of others that are at work take of the memory; called when that changed. */
  readonly onForeignBytes: (bytes: number) => void;
}

export class ResidencyServer {
  readonly #options: ResidencyServerOptions;
  readonly #tenants: ReadonlyMap<string, Tenant>;
  readonly #strangers = new Strangers();
  readonly #closing = new AbortController();
  #looking: Promise<void> | null = null;
  #timer: Timer | null = null;
  #isSlow = false;
  #isAway = false;
  #shape: string | null = null;
  /** It has shown once what it has in memory: from then on, what it does not show is not there. */
  #showsModels = false;
  #listedAt: number | null = null;
  #foreignBytes = 0;

  constructor(options: ResidencyServerOptions) {
    this.#options = options;
    const machine = provideMoves((key) => this.#tenants.get(key) as Tenant);
    const shared = {
      ...options,
      onLoaded: (tenant: Tenant, models: readonly LoadedModelInfo[]) => this.#makeRoom(tenant, models),
    };
    const tenants = options.profiles.map((profile) => new Tenant(profile, shared, machine));
    this.#tenants = new Map(tenants.map((tenant) => [tenant.key, tenant]));
  }

  /** Looks for the first time, and from then on by itself. Never rejects. */
  start(): Promise<void> {
    return this.look();
  }

  /** A command of the scheduler; for a profile that the config has no more it is answered with `absent`. */
  command(type: "load" | "unload", profile: string): void {
    const tenant = this.#tenants.get(profile);
    if (!tenant) {
      const { backend, report } = this.#options;
      return report({ backend, profile, state: "absent" });
    }
    tenant.command(type);
    this.nudge();
  }

  /** Counts a generation in; `null` for a profile that is not known. Throws ProviderError as `Tenant.use` does. */
  use(profile: string): ReturnType<Tenant["use"]> | null {
    const use = this.#tenants.get(profile)?.use() ?? null;
    this.nudge();
    return use;
  }

  /** Somebody wants this profile: where its model was removed, the list is read once more. Never rejects. */
  async seek(profile: string): Promise<void> {
    if (this.#tenants.get(profile)?.phase !== "removed") return;
    // One that is under way may have read the list before the model was there again.
    await this.#looking;
    this.#listedAt = null;
    await this.look();
  }

  /** A generation failed in a way that may be the server's state: look now, at the list of models too. */
  suspect(): void {
    this.#listedAt = null;
    void this.look();
  }

  sizeOf(profile: string): number | null {
    return this.#tenants.get(profile)?.sizeBytes ?? null;
  }

  stateOf(profile: string): Residency | null {
    return this.#tenants.get(profile)?.state ?? null;
  }

  isForeign(model: string): boolean {
    return this.#strangers.has(model);
  }

  /** The profiles of which there is something to say. */
  views(): readonly ResidencyView[] {
    return [...this.#tenants.values()]
      .map((tenant) => tenant.view())
      .filter(({ state, phase, failures, loadMs }) => {
        return state !== "absent" || phase !== null || failures > 0 || loadMs !== null;
      });
  }

  /** Somebody begins to work: the next look is soon, and the first one at once. */
  nudge(): void {
    if (this.#timer === null) void this.look();
    else if (this.#isSlow) this.#arm();
  }

  /** Resolves when the server was looked at once more. Never rejects. */
  look(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    this.#looking ??= this.#lookOnce()
      .catch((thrown: unknown) => this.#note(thrown))
      .finally(() => {
        this.#looking = null;
        this.#arm();
      });
    return this.#looking;
  }

  close(): void {
    this.#closing.abort("the runtime closes");
    this.#timer?.cancel();
    for (const tenant of this.#tenants.values()) tenant.stop();
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#closing.signal.aborted) return;
    const isBusy = this.#options.isBusy() || [...this.#tenants.values()].some((tenant) => tenant.isAtWork);
    this.#isSlow = !isBusy;
    const busyMs = this.#isAway ? AWAY_LOOK_MS : BUSY_LOOK_MS;
    const waitMs = isBusy ? busyMs : IDLE_LOOK_MS;
    this.#timer = this.#options.clock.after(waitMs, () => void this.look());
  }

  async #lookOnce(): Promise<void> {
    const { provider, clock } = this.#options;
    const { signal } = this.#closing;
    const client = provider();
    await this.#list();
    const before = new Map([...this.#tenants.values()].map((tenant) => [tenant, tenant.moves]));
    const askedAt = clock.monotonic();
    const seen = await look({ provider: client, clock, signal });
    if (seen.outcome === "away") {
      this.#goneAway();
      this.#options.onReach(false, askedAt);
    }
    if (seen.outcome !== "seen") return;
    // Asked before it is told that the server is back, which moves it too.
    const still = [...before].filter(([tenant, moves]) => tenant.moves === moves);
    this.#showsModels ||= seen.models.length > 0;
    this.#comeBack(seen.models);
    for (const [tenant] of still) {
      const found = findProfile(seen.models, tenant.sought);
      if (found) tenant.seen(found);
      else tenant.missed(this.#showsModels);
    }
    this.#options.onReach(true, askedAt);
    this.#notice(seen.models);
  }

  /** Whom the server put out for a load is told before the load is: else turns begin on what is there no more (G6). */
  #makeRoom(loaded: Tenant, models: readonly LoadedModelInfo[]): void {
    this.#showsModels ||= models.length > 0;
    for (const tenant of this.#tenants.values()) {
      const isOut = tenant !== loaded && tenant.state === "resident" && !findProfile(models, tenant.sought);
      if (isOut) tenant.missed(this.#showsModels);
    }
  }

  /** Which models there are, their digests and sizes. What the server does not tell changes nothing (W3). */
  async #list(): Promise<void> {
    const { clock, provider } = this.#options;
    if (this.#listedAt !== null && clock.monotonic() - this.#listedAt < LIST_MS) return;
    const client = provider();
    const models = await list({ provider: client, clock, signal: this.#closing.signal });
    if (models === null) return;
    this.#listedAt = clock.monotonic();
    const byName = new Map(models.map((model) => [taggedModel(model.name), model]));
    for (const tenant of this.#tenants.values()) {
      const listed = byName.get(tenant.profile.model);
      if (listed) tenant.listed(listed);
      else if (tenant.phase !== "removed") {
        tenant.send({ type: "model.removed", failure: removedFailure(tenant.profile.model, client) });
      }
    }
  }

  #goneAway(): void {
    this.#isAway = true;
    this.#listedAt = null;
    for (const tenant of this.#tenants.values()) tenant.send({ type: "server.away" });
  }

  #comeBack(models: readonly LoadedModelInfo[]): void {
    const shape = shapeOf(models);
    const isMoving = this.#shape !== null && shape !== this.#shape;
    this.#shape = shape;
    for (const tenant of this.#tenants.values()) {
      // What was stuck and moves again is as good as started anew.
      const isStuck = isMoving && tenant.phase === "wedged";
      if (this.#isAway || tenant.phase === "away" || isStuck) tenant.send({ type: "server.back" });
    }
    this.#isAway = false;
  }

  #notice(models: readonly LoadedModelInfo[]): void {
    const { clock, logger, backend, onForeignBytes } = this.#options;
    const tenants = [...this.#tenants.values()];
    const ours = new Set(tenants.map(({ sought }) => findProfile(models, sought)));
    const now = clock.now();
    const { came, went } = this.#strangers.see(
      models.filter((model) => !ours.has(model)),
      now,
    );
    for (const model of came) logger.info("another program loaded a model", { backend, model });
    for (const model of went) logger.info("a model of another program went", { backend, model });
    const bytes = this.#strangers.bytesAtWork(now);
    if (bytes !== this.#foreignBytes) onForeignBytes(bytes);
    this.#foreignBytes = bytes;
  }

  #note(thrown: unknown): void {
    if (this.#closing.signal.aborted) return;
    const { logger, backend } = this.#options;
    logger.warn("the model server could not be looked at", { backend, problem: messageOf(thrown) });
  }
}
