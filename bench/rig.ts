// A whole runtime on the machine's clock for the benchmarks: the real scheduler, store, machine and tools over a
// scripted model, so that what is measured is Troupe and not a model server.

import { systemClock, type Clock } from "../src/base/clock.ts";
import { systemRandom } from "../src/base/ids.ts";
import { silentLogger } from "../src/base/log.ts";
import type { TroupeApi } from "../src/core/api.ts";
import type { Settings } from "../src/core/settings.ts";
import type { Toolset } from "../src/core/tool.ts";
import { OPERATOR, Runtime } from "../src/runtime/runtime.ts";
import { LocalScheduler } from "../src/scheduler/local-scheduler.ts";
import { MemoryStore } from "../src/store/memory.ts";
import type { Store } from "../src/store/store.ts";
import { checkArguments } from "../src/toolsets/arguments.ts";
import { builtinToolsets, ToolsetRegistry } from "../src/toolsets/registry.ts";
import type { GenerateRequest } from "../providers/provider.ts";
import { scripted, type Reply } from "../providers/scripted.ts";
import { testSettings } from "../test/runtime/rig.ts";

export interface BenchRigOptions {
  readonly reply: (request: GenerateRequest) => Reply;
  /** Generations in flight. */
  readonly slots: number;
  /** Children at work; as many as the slots unless told. */
  readonly maxChildren?: number;
  readonly settings?: Partial<Settings>;
  readonly toolsets?: readonly Toolset[];
  /** Closed with the rig; one in memory when absent. */
  readonly store?: Store;
  readonly clock?: Clock;
}

export interface BenchRig {
  readonly api: TroupeApi;
  readonly runtime: Runtime;
  readonly store: Store;
  close(): Promise<void>;
}

/** More than any benchmark spawns: what is measured is never a refusal. */
const ROOM = 100_000;

export function benchRig(options: BenchRigOptions): BenchRig {
  const { clock = systemClock } = options;
  const random = systemRandom;
  const { slots, maxChildren = slots } = options;
  const settings = testSettings({
    backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots, maxChildren, local: true }],
    delegation: {
      maxConcurrentChildren: ROOM,
      maxSpawnDepth: 3,
      onInterrupt: "continue",
      defaultToolsets: [],
    },
    maxQueued: ROOM,
    ...options.settings,
  });
  const store = options.store ?? new MemoryStore({ clock, random });
  const provider = scripted({ clock, reply: options.reply });
  const toolsets = new ToolsetRegistry([
    ...builtinToolsets({ onInterrupt: "continue" }),
    ...(options.toolsets ?? []),
  ]);
  const runtime = new Runtime({
    settings,
    clock,
    random,
    logger: silentLogger,
    store,
    makeScheduler: (onSignal) =>
      new LocalScheduler({ clock, random, interactivePatienceMs: settings.interactivePatienceMs, onSignal }),
    providers: new Map([["gpu", provider]]),
    providerOf: () => provider,
    knownToolsets: new Set(toolsets.names),
    toolsOf: (names, role) => toolsets.toolsOf(names, role),
    checkArguments,
  });
  return {
    api: runtime.as(OPERATOR),
    runtime,
    store,
    close: async () => {
      await runtime.close();
      await store.close();
    },
  };
}
