// A whole runtime for tests: the real scheduler, store, machine and tools, a scripted model, and whichever clock.

import { SimulatedClock, systemClock, type Clock } from "../../src/base/clock.ts";
import { seededRandom, type Random } from "../../src/base/ids.ts";
import { lineLogger, silentLogger, type Logger } from "../../src/base/log.ts";
import type { AgentDefinition } from "../../src/core/agent.ts";
import { NO_GRANTS } from "../../src/core/capabilities.ts";
import { DEFAULT_TASK_LIMITS, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import { DEFAULT_ROUTING } from "../../src/core/routing.ts";
import type { ModelSettings, Settings } from "../../src/core/settings.ts";
import type { ModelRef } from "../../src/core/task.ts";
import type { Tool, Toolset } from "../../src/core/tool.ts";
import type { Worktrees } from "../../src/core/worktree.ts";
import type { KeyDesk } from "../../src/runtime/key-desk.ts";
import type { KeyCaller } from "../../src/runtime/keyed-provider.ts";
import { OPERATOR, Runtime } from "../../src/runtime/runtime.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { delegationToolset } from "../../src/toolsets/delegation.ts";
import { fileToolset } from "../../src/toolsets/file.ts";
import { progressToolset } from "../../src/toolsets/progress.ts";
import { scripted, type Reply, type ScriptedProvider } from "../../providers/scripted.ts";
import type { GenerateRequest, Provider } from "../../providers/provider.ts";
import type { TroupeApi } from "../../src/core/api.ts";

/** `Runtime.counts()` when nothing lives and nothing is held. */
export const NOTHING_HELD = { slots: 0, places: 0, leases: 0, waiting: 0, living: 0 };

export const MODEL = { provider: "gpu", model: "child", backend: "gpu" };

export function agentNamed(name: string, rest: Partial<AgentDefinition> = {}): AgentDefinition {
  return {
    name,
    description: "",
    instructions: `You are ${name}.`,
    model: null,
    toolsets: null,
    role: "leaf",
    async: false,
    limits: {},
    schedulingClass: null,
    concurrencyLimit: null,
    ...rest,
  };
}

/** A model that can do what most can, for nothing. */
export function modelAt(ref: ModelRef, rest: Partial<ModelSettings> = {}): ModelSettings {
  const known = { contextTokens: null, tools: true, thinking: false };
  return { ref, ...known, promptPriceMicros: 0, outputPriceMicros: 0, ...rest };
}

export function testSettings(rest: Partial<Settings> = {}): Settings {
  const model = (name: string, tools = true): ModelSettings =>
    modelAt({ provider: "gpu", model: name, backend: "gpu" }, { tools });
  return {
    version: "0.0.0-test",
    boxId: "testbox",
    simulated: false,
    workspaceRoot: "/tmp",
    link: null,
    backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 1, maxChildren: 4, local: true }],
    models: [model("child"), model("parent"), model("toolless", false)],
    parentModel: { provider: "gpu", model: "parent", backend: "gpu" },
    childModel: MODEL,
    sessionAgent: agentNamed("session", { toolsets: ["delegation", "file"], role: "orchestrator" }),
    childAgent: agentNamed("child"),
    agents: [],
    delegation: { maxConcurrentChildren: 3, maxSpawnDepth: 1, onInterrupt: "continue", defaultToolsets: [] },
    routing: DEFAULT_ROUTING,
    limits: DEFAULT_TASK_LIMITS,
    budget: UNLIMITED_BUDGET,
    interactivePatienceMs: 5_000,
    maxQueued: 20_000,
    cancelDeadlineMs: 10_000,
    restartIntensity: { failures: 10, periodMs: 60_000 },
    capabilities: NO_GRANTS,
    ...rest,
  };
}

export interface RigOptions {
  readonly reply: (request: GenerateRequest) => Reply;
  readonly settings?: Partial<Settings>;
  readonly toolsets?: readonly Toolset[];
  readonly clock?: Clock;
  readonly verbose?: boolean;
  readonly logger?: Logger;
  /** Stands between the runtime and the store; `Rig.store` is what lies behind it. */
  readonly wrapStore?: (store: MemoryStore, clock: Clock) => Store;
  /** Events kept, for tests of retention. */
  readonly maxEvents?: number;
  /** The store of another rig, which this one goes on from, and randomness that is not that one's. */
  readonly from?: { readonly store: MemoryStore; readonly random: Random };
  /** Instead of the scripted provider for every model. */
  readonly providerOf?: (ref: ModelRef, caller?: KeyCaller) => Provider;
  readonly keys?: KeyDesk;
  /** None are made when absent. */
  readonly worktrees?: Worktrees;
  /** Instead of the scripted provider for those who only look at the box. */
  readonly providers?: ReadonlyMap<string, Provider>;
}

export interface Rig<C extends Clock = SimulatedClock> {
  readonly api: TroupeApi;
  readonly runtime: Runtime;
  readonly scheduler: LocalScheduler;
  readonly store: MemoryStore;
  readonly clock: C;
  readonly settings: Settings;
  /** Every model of the box, unless `providerOf` says otherwise. */
  readonly provider: ScriptedProvider;
}

function build<C extends Clock>(clock: C, options: RigOptions): Rig<C> {
  const random = options.from?.random ?? seededRandom(1);
  const settings = testSettings(options.settings);
  const { maxEvents } = options;
  const store =
    options.from?.store ?? new MemoryStore({ clock, random, ...(maxEvents !== undefined && { maxEvents }) });
  const provider = scripted({ clock, reply: options.reply });
  const toolsets = new Map(
    [
      delegationToolset({ onInterrupt: settings.delegation.onInterrupt }),
      fileToolset(),
      progressToolset,
      ...(options.toolsets ?? []),
    ].map((toolset) => [toolset.name, toolset]),
  );
  const made: { scheduler?: LocalScheduler } = {};
  const runtime = new Runtime({
    settings,
    clock,
    random,
    logger: options.logger ?? (options.verbose ? stderrLogger : silentLogger),
    store: options.wrapStore?.(store, clock) ?? store,
    makeScheduler: (onSignal) => {
      const { interactivePatienceMs } = settings;
      made.scheduler = new LocalScheduler({ clock, random, interactivePatienceMs, onSignal });
      return made.scheduler;
    },
    providers: options.providers ?? new Map([["gpu", provider]]),
    providerOf: options.providerOf ?? (() => provider),
    ...(options.keys && { keys: options.keys }),
    ...(options.worktrees && { worktrees: options.worktrees }),
    knownToolsets: new Set(toolsets.keys()),
    toolsOf: (names, role): readonly Tool[] => names.flatMap((name) => toolsets.get(name)?.tools(role) ?? []),
    checkArguments,
    releaseTools: async (taskId) => {
      for (const toolset of toolsets.values()) await toolset.release?.(taskId);
    },
  });
  const scheduler = made.scheduler as LocalScheduler;
  return { api: runtime.as(OPERATOR), runtime, scheduler, store, clock, settings, provider };
}

const stderrLogger = lineLogger((line) => process.stderr.write(`${line}\n`));

/** A rig on virtual time. */
export function rig(options: RigOptions): Rig {
  return build(new SimulatedClock(), options);
}

/** A rig on a clock of the caller's. */
export function rigOn<C extends Clock>(clock: C, options: RigOptions): Rig<C> {
  return build(clock, options);
}

/** A rig on the machine's own clock, for what is made of real sockets and processes. */
export function realRig(options: RigOptions): Rig<Clock> {
  return build(options.clock ?? systemClock, options);
}
