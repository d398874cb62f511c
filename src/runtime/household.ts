// Everything that living tasks share, and the only place where hosts are made: claims tasks from the store, starts
// their hosts, and passes the scheduler's signals on.
// O1. Every claimed task gets exactly one host, or is given back to the store.
// O2. Claims are renewed before they are looked at: an own claim that had expired is never taken a second time, and
//     a task that another owner has taken meanwhile is let go at once.
// O3. The store orders nothing within the box: what is claimed waits in the scheduler, which alone orders.

import type { Clock, Timer } from "../base/clock.ts";
import { newId, type Random } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { InternalError, messageOf, StoreError, toTroupeError } from "../base/errors.ts";
import type { TaskApi } from "../core/api.ts";
import { UNLIMITED_BUDGET } from "../core/limits.ts";
import type { ModelSettings, Settings } from "../core/settings.ts";
import type { ModelRef, TaskRole, TaskSpec } from "../core/task.ts";
import type { Tool } from "../core/tool.ts";
import type { Provider } from "../../providers/provider.ts";
import type { Scheduler, SchedulerSignal } from "../scheduler/scheduler.ts";
import type { Claim, Store } from "../store/store.ts";
import { Admission } from "./admission.ts";
import type { CheckArguments } from "./call-tools-effect.ts";
import { Dormitory } from "./dormitory.ts";
import { provideEffects } from "./effects.ts";
import { EventStreams } from "./event-stream.ts";
import { Family } from "./family.ts";
import { PLAIN_TEXT, type RedactedText } from "./generation.ts";
import { Ledger } from "./ledger.ts";
import type { HostServices } from "./services.ts";
import { findModel } from "./spawning.ts";
import { StorePatience } from "./store-patience.ts";
import { TaskHost } from "./task-host.ts";

/** A claim lasts this long unless renewed; renewed at a third of it. One box, one process: nobody else waits for it. */
const CLAIM_MS = 60_000;
/** Tasks claimed in one step. */
const CLAIM_BATCH = 256;

export interface HouseholdOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  /** Made with the receiver of its signals, because each needs the other. */
  readonly makeScheduler: (onSignal: (signal: SchedulerSignal) => void) => Scheduler;
  /** The provider that serves a model, its credential resolved; throws when it cannot be used. */
  readonly providerOf: (ref: ModelRef) => Provider;
  /** The tools of these toolsets for a role. */
  readonly toolsOf: (toolsets: readonly string[], role: TaskRole) => readonly Tool[];
  readonly checkArguments: CheckArguments;
  /** Takes every secret that is known out of a text; none is known when absent. */
  readonly redact?: (text: string) => string;
  readonly redactStream?: () => RedactedText;
  readonly apiFor: (taskId: string) => TaskApi;
}

export class Household {
  readonly family: Family<TaskHost>;
  readonly streams: EventStreams;
  readonly scheduler: Scheduler;
  readonly admission: Admission;
  readonly owner: string;
  readonly #options: HouseholdOptions;
  readonly #services: HostServices;
  readonly #dormitory: Dormitory;
  /** The ledger of each living tree and how many of its tasks live: a detached task keeps its tree's budget. */
  readonly #trees = new Map<string, { readonly ledger: Ledger; living: number }>();
  readonly #models = new Map<string, ModelSettings>();
  readonly #toolMaps = new Map<string, ReadonlyMap<string, Tool>>();
  #claiming: Promise<void> | null = null;
  #claimAgain = false;
  #heartbeat: Timer | null = null;
  #renewedAt: number;
  readonly #closing = new AbortController();

  constructor(options: HouseholdOptions) {
    this.#options = options;
    this.owner = newId("box", options.random);
    this.#renewedAt = options.clock.monotonic();
    this.family = new Family((host) => this.#leaveTree(host.spec.rootId));
    this.streams = new EventStreams(options.store);
    this.scheduler = options.makeScheduler((signal) => this.#onSignal(signal));
    this.admission = new Admission(this.scheduler, options.settings);
    this.#dormitory = new Dormitory(options.clock);
    this.#services = this.#makeServices();
    const { settings } = options;
    for (const backend of settings.backends) {
      this.scheduler.setBackend({
        backend: backend.name,
        provider: backend.provider,
        gpu: backend.gpu,
        slots: backend.slots,
        maxChildren: backend.maxChildren,
        maxQueued: settings.maxQueued,
      });
    }
    this.#beat();
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Takes what waits in the store. Calls that come while it is at it share its next round. */
  claim(): Promise<void> {
    if (this.closed) return Promise.resolve();
    if (this.#claiming) {
      this.#claimAgain = true;
      return this.#claiming;
    }
    this.#claiming = this.#claimAll();
    return this.#claiming;
  }

  /** Stops admitting, stops all timers and gives the claims back; ends no task. */
  async close(): Promise<void> {
    this.#closing.abort("the runtime closes");
    this.#heartbeat?.cancel();
    this.scheduler.pause(true);
    for (const host of this.family.members()) host.abandon();
    this.family.close();
    this.scheduler.close();
    this.#dormitory.close();
    this.streams.close();
    // What a claim under way still takes must be given back with the rest.
    await this.#claiming?.catch(() => {});
    await this.#options.store.release(this.owner);
  }

  async #claimAll(): Promise<void> {
    const { store, settings, clock } = this.#options;
    const { patience } = this.#services;
    const wanted = { owner: this.owner, boxId: settings.boxId, ttlMs: CLAIM_MS, max: CLAIM_BATCH };
    try {
      do {
        this.#claimAgain = false;
        // Patiently, or a parent would end before its accepted child is here; own claims may have run out meanwhile (O2).
        const claims = await patience.call("claim", async () => {
          if (clock.monotonic() - this.#renewedAt > CLAIM_MS / 2) await this.#renew();
          return store.claim(wanted);
        });
        if (this.closed) return;
        for (const claim of claims) this.#host(claim);
        if (claims.length === CLAIM_BATCH) this.#claimAgain = true;
      } while (this.#claimAgain && !this.closed);
    } finally {
      // In the same step as the last look at `claimAgain`, so that no call falls between.
      this.#claiming = null;
    }
  }

  async #renew(): Promise<void> {
    const lost = await this.#options.store.heartbeat(this.owner, CLAIM_MS);
    this.#renewedAt = this.#options.clock.monotonic();
    for (const taskId of lost) {
      this.family.get(taskId)?.journal.break(new StoreError("fenced", "Another owner has claimed the task."));
    }
  }

  #host(claim: Claim): void {
    if (this.family.isLive(claim.taskId)) return;
    const host = new TaskHost(this.#services, claim);
    this.#joinTree(host.spec);
    this.family.add(host);
    host.start();
    if (this.family.isOrphan(host.spec)) return host.cancel("its parent has ended", false);
    void host.announceMail();
    try {
      this.admission.admit(host.spec);
    } catch (thrown) {
      const { code } = toTroupeError(thrown);
      host.send({ type: "limit.reached", failure: { code, message: messageOf(thrown), retryable: true } });
    }
  }

  #onSignal(signal: SchedulerSignal): void {
    const host = this.family.get(signal.type === "granted" ? signal.lease.taskId : signal.taskId);
    if (!host) {
      if (signal.type === "granted") this.scheduler.release(signal.lease.leaseId);
      return;
    }
    if (signal.type === "granted") return host.leases.granted(signal.lease);
    if (signal.type === "admitted") {
      host.journal.event({ type: "task.admitted", data: { waitedMs: Math.round(signal.waitedMs) } });
      return host.send({ type: "admitted" });
    }
    host.journal.event({ type: "generation.preempted", data: { by: signal.by } });
    host.send({ type: "preempted" });
  }

  #makeServices(): HostServices {
    const { settings, clock, random, logger, store, providerOf, apiFor, checkArguments } = this.#options;
    const family = this.family;
    const find = (taskId: string): TaskHost => {
      const host = family.get(taskId);
      if (!host) throw new InternalError("task_unhosted", `The task ${taskId} has no host.`);
      return host;
    };
    return {
      settings,
      clock,
      random,
      logger,
      store,
      patience: new StorePatience({ clock, logger, closing: this.#closing.signal }),
      providerOf,
      apiFor,
      scheduler: this.scheduler,
      machine: provideEffects(find, checkArguments),
      kinship: family,
      dormitory: this.#dormitory,
      modelOf: (ref) => this.#modelOf(ref),
      toolsOf: (spec) => this.#toolMap(spec),
      redact: this.#options.redact ?? ((text) => text),
      redactStream: this.#options.redactStream ?? (() => PLAIN_TEXT),
      systemPrompt: (spec) => `${spec.agent.instructions}\n\nWorkspace: ${workspacePath(spec)}`,
      ledgerOf: (rootId) => this.#ledgerOf(rootId),
      showDelta: (spec, delta) => this.streams.showDelta(spec, delta),
    };
  }

  /** Asked at every turn: known models are found once. */
  #modelOf(ref: ModelRef): ModelSettings {
    const name = `${ref.provider}/${ref.model}`;
    const known = this.#models.get(name);
    if (known) return known;
    const model = findModel(name, this.#options.settings);
    this.#models.set(name, model);
    return model;
  }

  #toolMap(spec: TaskSpec): ReadonlyMap<string, Tool> {
    const key = `${spec.role}:${spec.toolsets.join(",")}`;
    const known = this.#toolMaps.get(key);
    if (known) return known;
    const tools = this.#options.toolsOf(spec.toolsets, spec.role);
    const map = new Map(tools.map((tool) => [tool.definition.name, tool]));
    this.#toolMaps.set(key, map);
    return map;
  }

  #joinTree(spec: TaskSpec): void {
    const tree = this.#trees.get(spec.rootId);
    if (tree) tree.living += 1;
    else this.#trees.set(spec.rootId, { ledger: new Ledger(spec.budget ?? UNLIMITED_BUDGET), living: 1 });
  }

  #leaveTree(rootId: string): void {
    const tree = this.#trees.get(rootId);
    if (!tree) return;
    tree.living -= 1;
    if (tree.living === 0) this.#trees.delete(rootId);
  }

  #ledgerOf(rootId: string): Ledger {
    const tree = this.#trees.get(rootId);
    if (!tree)
      throw new InternalError("tree_unknown", `The tree ${rootId} has no ledger: none of its tasks live.`);
    return tree.ledger;
  }

  /** Claims without anybody waiting for it: what was accepted is taken now, or with the next heartbeat. */
  claimSoon(): Promise<void> {
    return this.claim().catch((error: unknown) => {
      const message = messageOf(error);
      this.#options.logger.warn("what waits in the store could not be claimed; it is tried again", {
        message,
      });
    });
  }

  #beat(): void {
    const { clock, logger } = this.#options;
    this.#heartbeat = clock.after(CLAIM_MS / 3, () => {
      if (this.closed) return;
      this.#beat();
      this.#renew().catch((error: unknown) => {
        logger.warn("the claims could not be renewed", { message: messageOf(error) });
      });
      void this.claimSoon();
    });
  }
}

/** The folder of a task's workspace on this box. */
export function workspacePath(spec: Pick<TaskSpec, "workspace">): string {
  return spec.workspace.slice(spec.workspace.indexOf(":", "box:".length) + 1);
}
