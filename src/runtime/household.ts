// Everything that living tasks share, and the only place where hosts are made: starts a host for every claim, takes
// tasks up again after a restart, and passes the scheduler's signals on.
// O3. Every claimed task gets exactly one host, or is given back to the store.
// O4. The store orders nothing within the box: what is claimed waits in the scheduler, which alone orders.
// O5. After a restart all tasks are known before any of them acts: who waits for a child finds it alive. Those that
//     had begun get what they held before new ones are admitted.
// O6. While it drains no turn begins; what is under way may end.

import type { Clock } from "../base/clock.ts";
import { newId, type Random } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { InternalError, StoreError } from "../base/errors.ts";
import type { TaskApi } from "../core/api.ts";
import type { Settings } from "../core/settings.ts";
import type { TaskRole } from "../core/task.ts";
import type { Tool } from "../core/tool.ts";
import type { Scheduler, SchedulerSignal } from "../scheduler/scheduler.ts";
import type { Claim, Store } from "../store/store.ts";
import { Admission } from "./admission.ts";
import { capsOf } from "./backend-caps.ts";
import type { CheckArguments } from "./call-tools-effect.ts";
import { Claimant } from "./claimant.ts";
import { drain } from "./drain.ts";
import { Dormitory } from "./dormitory.ts";
import { provideEffects } from "./effects.ts";
import { EventStreams } from "./event-stream.ts";
import { Family } from "./family.ts";
import { PLAIN_TEXT, type RedactedText } from "./generation.ts";
import type { Enrolment } from "./inspection.ts";
import { Reaper } from "./reaper.ts";
import { admitSomewhere, movedTo } from "./rerouting.ts";
import { Residency } from "./residency.ts";
import { RestartIntensity } from "./restart-intensity.ts";
import type { Recovery } from "./resuming.ts";
import type { HostServices } from "./services.ts";
import { markReleased, unreleased } from "./late-release.ts";
import { Provisions } from "./provisions.ts";
import { StorePatience } from "./store-patience.ts";
import { Suspects } from "./suspects.ts";
import { TaskHost } from "./task-host.ts";
import { WaitForecast } from "./wait-forecast.ts";
import { folderOf } from "./workspace-folder.ts";
import { TargetHealth } from "./target-health.ts";
import { Trees } from "./trees.ts";

export interface HouseholdOptions extends Pick<HostServices, "releaseTools" | "worktrees"> {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  /** Made with the receiver of its signals, because each needs the other. */
  readonly makeScheduler: (onSignal: (signal: SchedulerSignal) => void) => Scheduler;
  /** The provider that serves a model, its credential resolved; throws when it cannot be used. */
  readonly providerOf: HostServices["providerOf"];
  /** The tools of these toolsets for a role. */
  readonly toolsOf: (toolsets: readonly string[], role: TaskRole) => readonly Tool[];
  readonly checkArguments: CheckArguments;
  /** Takes every secret that is known out of a text; none is known when absent. */
  readonly redact?: (text: string) => string;
  readonly redactStream?: () => RedactedText;
  readonly apiFor: (taskId: string) => TaskApi;
  readonly inspection: Enrolment;
}

export class Household {
  readonly family: Family<TaskHost>;
  readonly streams: EventStreams;
  readonly scheduler: Scheduler;
  readonly residency: Residency;
  readonly admission: Admission;
  readonly reaper: Reaper;
  readonly health: TargetHealth;
  readonly forecast = new WaitForecast();
  readonly owner: string;
  /** For calls to the store that must not fail because it is away for a while. */
  readonly patience: StorePatience;
  readonly #options: HouseholdOptions;
  readonly #services: HostServices;
  readonly #dormitory: Dormitory;
  readonly trees: Trees;
  readonly #claimant: Claimant;
  readonly #provisions: Provisions;
  #draining = false;
  /** Tasks that could not begin, or go on. */
  #givenUp = 0;
  readonly #closing = new AbortController();

  constructor(options: HouseholdOptions) {
    this.#options = options;
    this.#provisions = new Provisions(options.settings, options.toolsOf);
    this.owner = newId("box", options.random);
    this.family = new Family(({ id, spec }) => {
      this.trees.leave(spec);
      void options.releaseTools?.(id);
    });
    this.streams = new EventStreams(options.store);
    this.scheduler = options.makeScheduler((signal) => this.#onSignal(signal));
    this.residency = new Residency({ ...options, scheduler: this.scheduler });
    this.admission = new Admission(this.scheduler, options.settings, this.residency);
    this.#dormitory = new Dormitory(options.clock);
    this.health = new TargetHealth(options.clock);
    const { clock, logger, store, settings } = options;
    const patience = (this.patience = new StorePatience({ clock, logger, closing: this.#closing.signal }));
    this.trees = new Trees({ store, patience, isLive: (id) => this.family.isLive(id) });
    const { scheduler } = this;
    this.reaper = new Reaper({ scheduler, logger, holderOf: (taskId) => this.family.get(taskId) });
    this.#services = this.#makeServices(patience);
    for (const backend of settings.backends) this.scheduler.setBackend(capsOf(backend, settings));
    this.#claimant = new Claimant({
      owner: this.owner,
      boxId: settings.boxId,
      clock,
      logger,
      store,
      patience,
      onClaims: (claims) => this.#receive(claims),
      onBeat: () => void this.reaper.look(),
      onLost: (taskId) => {
        const fenced = new StoreError("fenced", "Another owner has claimed the task.");
        this.family.get(taskId)?.journal.break(fenced);
      },
    });
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** After `close` nothing would come of what is asked for. Throws StoreError `closed`. */
  checkRunning(): void {
    if (!this.closed) return;
    throw new StoreError("closed", "The runtime is closed. Start it again, and ask again.");
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Takes what waits in the store. Calls that come while it is at it share its next round. */
  claim(): Promise<void> {
    return this.#claimant.claim();
  }

  /** The same without anybody waiting for it. */
  claimSoon(): Promise<void> {
    return this.#claimant.claimSoon();
  }

  /** Takes up everything that the store has open, before anything new is asked for (O5). Throws what the store throws. */
  async recover(): Promise<Recovery> {
    await this.residency.start();
    const claims = await this.#claimant.takeAll();
    const late = { ...this.#options, patience: this.patience };
    void markReleased(await unreleased(late), late);
    const hosts = await this.#welcome(claims);
    const kinds = hosts.map((host) => host.homecoming?.plan.kind ?? "wait");
    const failed = this.#givenUp;
    const queued = hosts.filter((host, at) => !host.ending && kinds[at] === "wait").length;
    return { resumed: hosts.length - queued - failed, queued, failed };
  }

  /**
   * Begins no further turn, and resolves when those under way have ended, or after `graceMs`. Their tasks stay as they
   * are, for the next start.
   */
  async drain(graceMs: number): Promise<{ readonly parked: number }> {
    this.#draining = true;
    this.scheduler.pause(true);
    const hosts = (): readonly TaskHost[] => (this.closed ? [] : [...this.family.members()]);
    await drain({ clock: this.#options.clock, hosts, graceMs });
    return { parked: this.family.size };
  }

  /** Stops admitting, stops all timers and gives the claims back; ends no task. */
  async close(): Promise<void> {
    this.#closing.abort("the runtime closes");
    this.scheduler.pause(true);
    for (const host of this.family.members()) host.abandon();
    this.family.close();
    this.residency.close();
    this.scheduler.close();
    this.#dormitory.close();
    this.streams.close();
    await this.#claimant.close();
  }

  /** Fresh tasks begin in this step; whoever waits for a slot waits for it. */
  #receive(claims: readonly Claim[]): Promise<void> | void {
    if (!this.trees.knows(claims)) return this.#welcome(claims).then(() => {});
    for (const claim of claims) {
      const host = this.#add(claim);
      if (host) this.#begin(host);
    }
  }

  /** Keeps O5. Returns the hosts that were made. */
  async #welcome(claims: readonly Claim[]): Promise<readonly TaskHost[]> {
    await this.trees.recall(claims.map(({ record }) => record.spec));
    if (this.closed) return [];
    const hosts = claims.flatMap((claim) => this.#add(claim) ?? []);
    const isNew = (host: TaskHost): boolean => (host.homecoming?.plan.kind ?? "wait") === "wait";
    for (const host of hosts) if (!isNew(host)) this.#begin(host);
    for (const host of hosts) if (isNew(host)) this.#begin(host);
    return hosts;
  }

  /** A host that does nothing yet; nothing for a task that lives here already. */
  #add(claim: Claim): TaskHost | null {
    if (this.family.isLive(claim.taskId)) return null;
    const host = new TaskHost(this.#services, claim);
    this.trees.join(host.spec);
    this.family.add(host);
    return host;
  }

  #begin(host: TaskHost): void {
    const { spec, homecoming } = host;
    const plan = homecoming?.plan;
    host.start();
    if (this.family.isOrphan(spec)) return host.callOff("its parent has ended");
    if (plan?.kind === "end") {
      host.finish(plan.output);
      return void host.announceMail();
    }
    if (plan?.kind === "fail") this.#givenUp += 1;
    // A cancel that was acknowledged before goes first, so its mail is opened before it is given up.
    if (plan?.kind === "fail") return void host.announceMail().then(() => host.giveUp(plan.failure));
    const returning = homecoming?.returning;
    if (returning === undefined || returning === "queued") void host.announceMail();
    const refused = admitSomewhere(host, (at) => this.admission.admit(spec, at, returning));
    if (refused) this.#givenUp += 1;
    if (refused) return host.giveUp(refused);
    if (returning === "parked") void homecoming?.goOn();
  }

  #onSignal(signal: SchedulerSignal): void {
    if (signal.type === "load" || signal.type === "unload") return this.residency.command(signal);
    const host = this.family.get(signal.type === "granted" ? signal.lease.taskId : signal.taskId);
    if (!host) {
      if (signal.type === "granted") this.scheduler.release(signal.lease.leaseId);
      return;
    }
    if (signal.type === "granted") return host.leases.granted(signal.lease);
    if (signal.type === "moved") return movedTo(host, signal.backend);
    if (signal.type === "admitted" && (host.homecoming?.returning ?? "queued") !== "queued")
      return void host.homecoming?.goOn();
    if (signal.type === "admitted") {
      const begin = (): void => {
        if (host.ending) return;
        host.journal.event({ type: "task.admitted", data: { waitedMs: Math.round(signal.waitedMs) } });
        host.send({ type: "admitted" });
      };
      // After a restart mail is read first: a cancel may be in it, or in that of those above.
      return host.homecoming ? void host.homecoming.hear().then(begin) : begin();
    }
    host.journal.event({ type: "generation.preempted", data: { by: signal.by } });
    host.send({ type: "preempted" });
  }

  #makeServices(patience: StorePatience): HostServices {
    const { settings, clock, checkArguments } = this.#options;
    const family = this.family;
    const find = (taskId: string): TaskHost => {
      const host = family.get(taskId);
      if (!host) throw new InternalError("task_unhosted", `The task ${taskId} has no host.`);
      return host;
    };
    return {
      ...this.#options,
      patience,
      scheduler: this.scheduler,
      residency: this.residency,
      machine: provideEffects(find, checkArguments),
      kinship: family,
      health: this.health,
      forecast: this.forecast,
      dormitory: this.#dormitory,
      suspects: new Suspects(),
      restarts: new RestartIntensity(clock, settings.restartIntensity),
      modelOf: (ref) => this.#provisions.modelOf(ref),
      toolsOf: (spec) => this.#provisions.toolsOf(spec),
      redact: this.#options.redact ?? ((text) => text),
      redactStream: this.#options.redactStream ?? (() => PLAIN_TEXT),
      systemPrompt: (spec) => `${spec.agent.instructions}\n\nWorkspace: ${folderOf(spec.workspace)}`,
      ledgerOf: (spec) => this.trees.ledgerOf(spec),
      gpu: this.#provisions.gpu,
      isDraining: () => this.#draining,
      showDelta: (spec, delta) => this.streams.showDelta(spec, delta),
    };
  }
}
