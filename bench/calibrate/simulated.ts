// The simulated side: a box with the speed of the real server, on a clock that is moved by hand.

import { settle, SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { DEFAULT_SIMULATOR_CONFIG, OLLAMA_LIKE, type SimulatedModel } from "../../src/simulator/config.ts";
import { say } from "../../src/simulator/policy.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";
import { median } from "../statistics.ts";
import { drive } from "./drive.ts";
import type { WorkloadOutcome } from "./outcome.ts";
import type { CalibrationWorkload } from "./workloads.ts";

/** What is taken from the real server, since it is the machine's and not the scheduler's. */
export interface SpeedFit {
  readonly loadMs: number;
  readonly unloadMs: number;
  readonly prefillTokensPerS: number;
  readonly decodeTokensPerS: number;
  readonly batchSlowdown: number;
}

/** Several measurements as one, each figure its median: a shared machine is not as fast at every moment. */
export function middleFit(fits: readonly SpeedFit[]): SpeedFit {
  const middle = (pick: (fit: SpeedFit) => number): number => median(fits.map(pick));
  return {
    loadMs: middle(({ loadMs }) => loadMs),
    unloadMs: middle(({ unloadMs }) => unloadMs),
    prefillTokensPerS: middle(({ prefillTokensPerS }) => prefillTokensPerS),
    decodeTokensPerS: middle(({ decodeTokensPerS }) => decodeTokensPerS),
    batchSlowdown: middle(({ batchSlowdown }) => batchSlowdown),
  };
}

/** What both servers are told. */
export interface ServerSettings {
  readonly parallel: number;
  readonly maxQueue: number;
}

const CONTEXT_TOKENS = 2_048;
const STEP_MS = 1;
/** No workload takes longer. */
const LONGEST_MS = 120_000;

function endless(name: string, loadMs: number): SimulatedModel {
  return {
    name,
    policy: () => say("word ".repeat(CONTEXT_TOKENS)),
    sizeBytes: 1,
    kvBytesPerToken: 0,
    contextTokens: CONTEXT_TOKENS,
    parameters: "0.1M",
    tools: false,
    thinking: false,
    loadMs,
  };
}

/** Plays a workload on a simulated box. Throws Error when it does not come to its end. */
export async function simulate(
  workload: CalibrationWorkload,
  { parallel, maxQueue }: ServerSettings,
  { loadMs, ...speed }: SpeedFit,
): Promise<WorkloadOutcome> {
  const clock = new SimulatedClock();
  const simulator = createSimulator({
    clock,
    random: seededRandom(1),
    config: {
      ...DEFAULT_SIMULATOR_CONFIG,
      ...OLLAMA_LIKE,
      ...speed,
      models: [endless("a", loadMs), endless("b", loadMs)],
      slots: parallel,
      maxQueue,
      maxLoadedModels: 1,
      loadJitter: 0,
      // A tiny model's weights are read in no time: its load is the start of its process.
      runnerStartMs: loadMs,
      // No card here whose memory would have to be seen to be free.
      vramRecoveryMs: 0,
    },
  });
  const target = {
    baseUrl: "http://simulated",
    fetch: simulator.fetch,
    clock,
    names: { a: "a", b: "b" },
    loads: () => Promise.resolve(simulator.stats().loads),
  };
  let outcome: WorkloadOutcome | null = null;
  const run = drive(target, workload).then((made) => (outcome = made));
  while (outcome === null && clock.monotonic() < LONGEST_MS) {
    await clock.advance(STEP_MS);
    // Bodies are streams of the runtime: they need turns of its loop beside the clock's.
    await settle();
  }
  simulator.close();
  if (outcome === null)
    throw new Error(`Expected ${workload.name} to end on the simulator, got none in 120 s.`);
  return run;
}
