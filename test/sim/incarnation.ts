// One incarnation of the server: a real runtime over the world's store, with a clock, a provider and tools that die
// with it. What it is asked after its death is never answered.

import { lineLogger } from "../../src/base/log.ts";
import type { Random } from "../../src/base/ids.ts";
import type { TroupeApi } from "../../src/core/api.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import type { Settings } from "../../src/core/settings.ts";
import type { Tool } from "../../src/core/tool.ts";
import { OPERATOR, Runtime } from "../../src/runtime/runtime.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import type { LaneView } from "../../src/core/box-api.ts";
import type { Scheduler, SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import type { Store } from "../../src/store/store.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { delegationToolset } from "../../src/toolsets/delegation.ts";
import { progressToolset } from "../../src/toolsets/progress.ts";
import { agentNamed, testSettings } from "../runtime/rig.ts";
import { MortalClock, type WorldClock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { Fact } from "./facts.ts";
import type { Life } from "./life.ts";
import { MortalProvider } from "./mortal-provider.ts";
import { MortalStore } from "./mortal-store.ts";
import { DEEPEST, type PlannedModel } from "./plan.ts";
import type { StoreWitness } from "./store-witness.ts";
import { simToolset } from "./tools.ts";
import { Umpire } from "./umpire.ts";
import type { Caps, World } from "./world.ts";

/** Active time that a task has. */
export const TIMEOUT_MS = 5_000;
/** How long a cancelled task may take to let go. */
export const CANCEL_DEADLINE_MS = 1_000;

const MAX_QUEUED = 1_000;

/** A micro for a token read, and two for one written. */
const MODEL_PRICES = { promptPriceMicros: 1_000_000, outputPriceMicros: 2_000_000, priced: true };

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
  readonly provider: MortalProvider;
  readonly runtime: Runtime;
  readonly api: TroupeApi;
  readonly #store: MortalStore;
  #scheduler: Scheduler | null = null;

  constructor(ground: Ground, life: Life, caps: Caps) {
    const { world, dice, tell, note, isCalm } = ground;
    this.life = life;
    this.caps = caps;
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
    this.provider = new MortalProvider({
      clock: this.clock,
      life,
      dice,
      model: ground.model,
      sickness: () => (isCalm() ? 0 : world.sickness),
      stubbornness: () => (isCalm() ? 0 : world.stubbornness),
      patienceMs: CANCEL_DEADLINE_MS,
      taskOf: ground.taskOf,
      tell,
      note,
    });
    this.runtime = this.#makeRuntime(ground);
    this.api = this.runtime.as(OPERATOR);
  }

  /** Who it is to the store. */
  get owner(): string | null {
    return this.#store.owner;
  }

  /** Changes the room while it runs. */
  change(caps: Caps): void {
    this.#scheduler?.setBackend({
      backend: "gpu",
      provider: "gpu",
      gpu: "gpu0",
      slots: caps.slots,
      maxChildren: caps.places,
      maxQueued: MAX_QUEUED,
    });
  }

  lanes(): readonly LaneView[] {
    return this.#scheduler?.lanes() ?? [];
  }

  /** Takes up what the store has of earlier incarnations. */
  async recover(): Promise<void> {
    await (this.runtime as { recover?: () => Promise<unknown> }).recover?.();
  }

  /** What was on its way to the store when it died and has not arrived. */
  crash(): readonly { readonly name: string; readonly args: unknown[] }[] {
    return this.#store.crash();
  }

  #makeRuntime({ world, random, dice, tell, isCalm }: Ground): Runtime {
    const { life, clock } = this;
    const settings = settingsOf(world, this.caps);
    const toolsets = new Map(
      [DELEGATION[world.onInterrupt], progressToolset, simToolset({ life, dice, tell, isCalm })].map(
        (toolset) => [toolset.name, toolset],
      ),
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
        const umpire = new Umpire({
          now: () => clock.monotonic(),
          patienceMs: interactivePatienceMs,
          cancelDeadlineMs: CANCEL_DEADLINE_MS,
          tell: (fact) => {
            if (!life.dead) tell(fact);
          },
        });
        const signalled = (signal: SchedulerSignal): void => {
          umpire.signalled(signal);
          onSignal(signal);
        };
        this.#scheduler = umpire.watch(
          new LocalScheduler({ clock, random, interactivePatienceMs, onSignal: signalled }),
        );
        return this.#scheduler;
      },
      providers: new Map([["gpu", this.provider]]),
      providerOf: () => this.provider,
      knownToolsets: new Set(toolsets.keys()),
      toolsOf: (names, role): readonly Tool[] =>
        names.flatMap((name) => toolsets.get(name)?.tools(role) ?? []),
      checkArguments,
    });
  }
}

function settingsOf(world: World, caps: Caps): Settings {
  return testSettings({
    models: testSettings().models.map((model) => ({ ...model, ...MODEL_PRICES })),
    backends: [
      { name: "gpu", provider: "gpu", gpu: "gpu0", slots: caps.slots, maxChildren: caps.places, local: true },
    ],
    sessionAgent: agentNamed("session", { toolsets: ["delegation", "sim"], role: "orchestrator" }),
    delegation: {
      maxConcurrentChildren: caps.childSlots,
      maxSpawnDepth: DEEPEST,
      onInterrupt: world.onInterrupt,
      defaultToolsets: ["sim"],
    },
    limits: { ...DEFAULT_TASK_LIMITS, timeoutMs: TIMEOUT_MS, maxOutputTokens: 512 },
    cancelDeadlineMs: CANCEL_DEADLINE_MS,
    interactivePatienceMs: 500,
    maxQueued: MAX_QUEUED,
  });
}
