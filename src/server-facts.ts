// What the model servers of the config say of themselves: asked at the start, kept for the next one, and asked again of
// those that were away, until they have answered and somebody could make use of it.
//
// F1. One server is asked by one question at a time, and none after `close`.
// F2. News are told one after the other; what could not be made use of is asked for and told again, and stands in
//     no later news meanwhile: another server is not kept out for it.

import type { Clock, Timer } from "./base/clock.ts";
import { messageOf } from "./base/errors.ts";
import type { Logger } from "./base/log.ts";
import { isLoopback } from "./core/endpoint.ts";
import type { DiscoveredProvider, Discovery } from "./config/discovery.ts";
import { keepServers, keptServersOf, withKept, type KeptServer } from "./config/kept-discovery.ts";
import type { ProviderPlan } from "./config/plan.ts";
import type { ProviderPool } from "./runtime/provider-pool.ts";
import type { Store } from "./store/store.ts";

/** The name that the box keeps them under. */
const KEPT_AS = "servers";
/** Between two questions to a server that is away: on this machine a person has just typed what starts it. */
const ASK_HERE_MS = 3_000;
const ASK_ELSEWHERE_MS = 30_000;

type Found = Discovery["providers"];

export interface ServerFactsOptions {
  readonly plans: readonly ProviderPlan[];
  readonly pool: Pick<ProviderPool, "discover" | "discoverOne" | "speakAs">;
  readonly store: Pick<Store, "boxState" | "saveBoxState">;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class ServerFacts {
  readonly #options: ServerFactsOptions;
  readonly #timers = new Map<string, Timer>();
  readonly #closing = new AbortController();
  #kept: readonly KeptServer[] = [];
  #found: Found = {};
  #telling: Promise<void> = Promise.resolve();

  constructor(options: ServerFactsOptions) {
    this.#options = options;
  }

  /** Asks every server, and fills in what those that do not answer had. Contract: throws what the store throws. */
  async start(): Promise<Found> {
    const { plans, pool, store } = this.#options;
    this.#kept = keptServersOf(await store.boxState(KEPT_AS));
    this.#found = withKept(plans, await pool.discover(), this.#kept);
    for (const plan of plans) {
      const { reachable, seenAt, type } = this.#found[plan.name] ?? {};
      if (reachable === false && seenAt !== undefined && type) pool.speakAs(plan.name, type);
    }
    await this.#keep();
    return this.#found;
  }

  /**
   * Asks those that were away until each has answered; `news` is called with what all servers say now. One that rejects
   * is told of it in the log, and asked again.
   */
  watch(news: (found: Found) => Promise<void>): void {
    for (const plan of this.#options.plans) {
      if (this.#found[plan.name]?.reachable !== true) this.#arm(plan, { news, told: null });
    }
  }

  /** Resolves when nobody is asked or told any more. */
  async close(): Promise<void> {
    this.#closing.abort("the servers are asked no more");
    for (const timer of this.#timers.values()) timer.cancel();
    await this.#telling;
  }

  #arm(plan: ProviderPlan, watched: Watched): void {
    if (this.#closing.signal.aborted) return;
    const waitMs = isLoopback(plan.baseUrl) ? ASK_HERE_MS : ASK_ELSEWHERE_MS;
    this.#timers.set(
      plan.name,
      this.#options.clock.after(waitMs, () => void this.#ask(plan, watched)),
    );
  }

  /** Never rejects. */
  async #ask(plan: ProviderPlan, { news, told }: Watched): Promise<void> {
    const { pool, logger } = this.#options;
    const { signal } = this.#closing;
    const said = await pool.discoverOne(plan.name, signal).catch(() => null);
    if (said?.reachable !== true) return this.#arm(plan, { news, told });
    const telling = this.#telling.then(() => this.#tell(plan, said, news));
    this.#telling = telling.catch(() => {});
    try {
      await telling;
    } catch (thrown) {
      const problem = messageOf(thrown);
      if (problem !== told)
        logger.warn("a model server answers and is not used yet", { provider: plan.name, problem });
      this.#arm(plan, { news, told: problem });
    }
  }

  async #tell(plan: ProviderPlan, said: DiscoveredProvider, news: Watched["news"]): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const before = this.#found;
    this.#found = { ...before, [plan.name]: said };
    try {
      await this.#keep();
      await news(this.#found);
    } catch (error) {
      this.#found = before;
      throw error;
    }
  }

  /** Throws what the store throws. */
  async #keep(): Promise<void> {
    const { plans, store, clock } = this.#options;
    this.#kept = keepServers(plans, this.#found, { kept: this.#kept, now: clock.now() });
    await store.saveBoxState(KEPT_AS, this.#kept);
  }
}

interface Watched {
  readonly news: (found: Found) => Promise<void>;
  /** What was last said to be wrong. */
  readonly told: string | null;
}
