// One incarnation of the server: a real runtime over the world's store, with a clock, a provider and tools that die
// with it. What it is asked after its death is never answered.

import { lineLogger } from "../../src/base/log.ts";
import type { Random } from "../../src/base/ids.ts";
import type { TroupeApi } from "../../src/core/api.ts";
import type { Tool } from "../../src/core/tool.ts";
import { OPERATOR, Runtime } from "../../src/runtime/runtime.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import type { LaneView } from "../../src/core/box-api.ts";
import type { BackendCaps, Scheduler, SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import type { Store } from "../../src/store/store.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { delegationToolset } from "../../src/toolsets/delegation.ts";
import { progressToolset } from "../../src/toolsets/progress.ts";
import type { Box } from "./box.ts";
import { Bystander } from "./bystander.ts";
import { MortalClock, type WorldClock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { Fact } from "./facts.ts";
import type { Life } from "./life.ts";
import { MortalProvider } from "./mortal-provider.ts";
import { MortalStore } from "./mortal-store.ts";
import { profileOf } from "./model-book.ts";
import type { ModelServer } from "./model-server.ts";
import type { PlannedModel } from "./plan.ts";
import { CANCEL_DEADLINE_MS, settingsOf } from "./settings.ts";
import type { StoreWitness } from "./store-witness.ts";
import { simToolset } from "./tools.ts";
import { Umpire } from "./umpire.ts";
import type { Caps, World } from "./world.ts";

/** Made once, because what checks their arguments is made once for each. */
const DELEGATION = {
  continue: delegationToolset({ onInterrupt: "continue" }),
  cancel: delegationToolset({ onInterrupt: "cancel" }),
};

/** What all incarnations of a world share. */
export interface Ground {
  readonly world: World;
  readonly clock: WorldClock;
  readonly store: Store;
  readonly random: Random;
  readonly dice: Dice;
  readonly model: PlannedModel;
  /** The servers of its models, by backend; they outlive every incarnation. */
  readonly servers: ReadonlyMap<string, ModelServer>;
  readonly witness: StoreWitness;
  readonly isCalm: () => boolean;
  readonly taskOf: (goal: string) => { readonly taskId: string; readonly session: boolean } | null;
  readonly tell: (fact: Fact) => void;
  readonly note: (text: string) => void;
}

export class Incarnation {
  readonly life: Life;
  readonly caps: Caps;
  readonly clock: MortalClock;
  /** By backend. */
  readonly providers: ReadonlyMap<string, MortalProvider>;
  readonly runtime: Runtime;
  readonly api: TroupeApi;
  readonly #store: MortalStore;
  readonly #box: Box | null;
  readonly #servers: ReadonlyMap<string, ModelServer>;
  #scheduler: Scheduler | null = null;
  /** What the runtime said of the GPU last, and the room that the world gave it since; `null` while it gave none. */
  #told: BackendCaps | null = null;
  #room: Caps | null = null;

  constructor(ground: Ground, life: Life, caps: Caps) {
    const { world, dice, tell, note, isCalm } = ground;
    this.life = life;
    this.caps = caps;
    this.#box = world.box;
    this.#servers = ground.servers;
    this.clock = new MortalClock(ground.clock, life);
    this.#store = new MortalStore({
      inner: ground.store,
      clock: ground.clock,
      life,
      dice,
      faults: world.store,
      isCalm,
      witness: ground.witness,
    });
    let generations = 0;
    const backends = ["gpu", ...(world.box?.routes ? ["cloud"] : [])];
    const providerAt = (backend: string): MortalProvider =>
      new MortalProvider({
        clock: this.clock,
        life,
        dice,
        backend,
        server: ground.servers.get(backend) ?? null,
        nth: () => generations++,
        model: ground.model,
        sickness: () => (isCalm() ? 0 : world.sickness),
        poor: () => (isCalm() || backend !== "gpu" ? 0 : (world.box?.poor ?? 0)),
        stubbornness: () => (isCalm() ? 0 : world.stubbornness),
        patienceMs: CANCEL_DEADLINE_MS,
        taskOf: ground.taskOf,
        tell,
        note,
      });
    this.providers = new Map(backends.map((backend) => [backend, providerAt(backend)]));
    this.runtime = this.#makeRuntime(ground);
    this.api = this.runtime.as(OPERATOR);
  }

  /** Who it is to the store. */
  get owner(): string | null {
    return this.#store.owner;
  }

  /** Generations in flight, by backend. */
  get inFlight(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.providers, ([backend, { inFlight }]) => [backend, inFlight]));
  }

  /** Timers that it keeps armed without work: the heartbeat of its claims, looks at servers, pauses after failed loads. */
  async idleTimers(): Promise<number> {
    if (this.#box === null || this.#box.room === null) return 1;
    const gpus = await this.api.gpus();
    const pauses = gpus.flatMap(({ residency }) => residency).filter(({ retryAt }) => retryAt !== null);
    return 2 + pauses.length;
  }

  /** Changes the room while it runs. */
  change(caps: Caps): void {
    this.#room = caps;
    if (this.#told) this.#scheduler?.setBackend(this.#withRoom(this.#told));
  }

  lanes(): readonly LaneView[] {
    return this.#scheduler?.lanes() ?? [];
  }

  /** Whether a profile is in the memory of its server. */
  serverShows(backend: string, profile: string): boolean {
    const shown = this.#servers.get(backend)?.shown() ?? [];
    return shown.some((each) => profileOf(backend, { ...each, model: each.name }) === profile);
  }

  /** Takes up what the store has of earlier incarnations. */
  async recover(): Promise<void> {
    await (this.runtime as { recover?: () => Promise<unknown> }).recover?.();
  }

  /** What was on its way to the store when it died and has not arrived. */
  crash(): readonly { readonly name: string; readonly args: unknown[] }[] {
    return this.#store.crash();
  }

  #makeRuntime(ground: Ground): Runtime {
    const { world, random, dice, tell, isCalm } = ground;
    const { life, clock } = this;
    const settings = settingsOf(world, this.caps, life.number);
    const toolsets = new Map(
      [
        DELEGATION[world.onInterrupt],
        progressToolset,
        simToolset({ life, dice, tell, isCalm, asks: world.asks }),
      ].map((toolset) => [toolset.name, toolset]),
    );
    return new Runtime({
      settings,
      clock,
      random,
      logger: lineLogger((line) => {
        if (!life.dead) tell({ kind: "complained", life: life.number, line });
      }, "error"),
      store: this.#store.store,
      makeScheduler: (onSignal) => {
        const { interactivePatienceMs } = settings;
        const watcher = this.#watcher(ground, interactivePatienceMs);
        const signalled = (signal: SchedulerSignal): void => {
          watcher.signalled(signal);
          onSignal(signal);
        };
        this.#scheduler = watcher.watch(
          new LocalScheduler({ clock, random, interactivePatienceMs, onSignal: signalled }),
        );
        return this.#keepingRoom(this.#scheduler);
      },
      providers: this.providers,
      providerOf: ({ backend }) => this.providers.get(backend) as MortalProvider,
      knownToolsets: new Set(toolsets.keys()),
      toolsOf: (names, role): readonly Tool[] =>
        names.flatMap((name) => toolsets.get(name)?.tools(role) ?? []),
      checkArguments,
    });
  }

  /** What the runtime says of the GPU later takes nothing back that the world has changed. */
  #keepingRoom(scheduler: Scheduler): Scheduler {
    const setBackend = (caps: BackendCaps): void => {
      if (caps.backend === "gpu") this.#told = caps;
      scheduler.setBackend(caps.backend === "gpu" ? this.#withRoom(caps) : caps);
    };
    return new Proxy(scheduler, {
      get: (target, name) => (name === "setBackend" ? setBackend : Reflect.get(target, name, target)),
    });
  }

  #withRoom(caps: BackendCaps): BackendCaps {
    return this.#room === null ? caps : { ...caps, slots: this.#room.slots, maxChildren: this.#room.places };
  }

  #watcher({ world, tell }: Ground, patienceMs: number): Pick<Umpire, "watch" | "signalled"> {
    const { life, clock } = this;
    const tellIfAlive = (fact: Fact): void => {
      if (!life.dead) tell(fact);
    };
    if (world.box !== null) return new Bystander(tellIfAlive);
    const deadlines = { patienceMs, cancelDeadlineMs: CANCEL_DEADLINE_MS };
    return new Umpire({ now: () => clock.monotonic(), ...deadlines, tell: tellIfAlive });
  }
}
