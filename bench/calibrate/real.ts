// The real side: an own Ollama on a free port of this machine, with two tiny models of random weights, started and
// ended by its process. What depends on the machine is measured here, and given to the simulated box.

import { delay, systemClock } from "../../src/base/clock.ts";
import { startOllama } from "../../test/ollama/setup.ts";
import { createModel, plainModel } from "../../test/ollama/tiny-models.ts";
import { drive, type Target } from "./drive.ts";
import type { RequestOutcome, WorkloadOutcome } from "./outcome.ts";
import type { ServerSettings, SpeedFit } from "./simulated.ts";
import type { CalibrationRequest, CalibrationWorkload } from "./workloads.ts";

const NAMES = { a: "troupe-calibrate-a", b: "troupe-calibrate-b" } as const;
/** The line that the server logs when it has loaded a model. */
const LOADED_LINE = "loaded runners";
/** A line of the log may come a little after what it tells of. */
const LOG_LAG_MS = 50;
const UNLOAD_LIMIT_MS = 10_000;
const FIT_TOKENS = 500;
const FIT_WORDS = 100;

/** A server that runs. Contract: `stop` is called. */
export interface RealServer {
  readonly version: string;
  play(workload: CalibrationWorkload): Promise<WorkloadOutcome>;
  /** Measures the machine; nothing else may run on the server meanwhile. */
  fit(): Promise<SpeedFit>;
  stop(): Promise<void>;
}

/** Throws what `startOllama` throws. */
export async function startReal(program: string, settings: ServerSettings): Promise<RealServer> {
  let loads = 0;
  const server = await startOllama(
    program,
    {
      OLLAMA_MAX_LOADED_MODELS: "1",
      OLLAMA_NUM_PARALLEL: String(settings.parallel),
      OLLAMA_MAX_QUEUE: String(settings.maxQueue),
    },
    (line) => {
      if (line.includes(LOADED_LINE)) loads += 1;
    },
  );
  const { baseUrl } = server;
  try {
    await createModel(baseUrl, plainModel(NAMES.a, 11));
    await createModel(baseUrl, plainModel(NAMES.b, 12));
    const { version } = (await (await fetch(`${baseUrl}/api/version`)).json()) as { version: string };
    const target: Target = {
      baseUrl,
      fetch,
      clock: systemClock,
      names: NAMES,
      loads: async () => {
        await delay(systemClock, LOG_LAG_MS);
        return loads;
      },
    };
    const play = async (workload: CalibrationWorkload): Promise<WorkloadOutcome> => {
      await emptied(baseUrl);
      return drive(target, workload);
    };
    return {
      version,
      play,
      fit: () => fitOf(play, settings.parallel),
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Lets all models go and waits until they have. */
async function emptied(baseUrl: string): Promise<void> {
  for (const model of Object.values(NAMES)) {
    const body = JSON.stringify({ model, messages: [], keep_alive: 0 });
    await (await fetch(`${baseUrl}/api/chat`, { method: "POST", body })).text();
  }
  for (const end = systemClock.monotonic() + UNLOAD_LIMIT_MS; systemClock.monotonic() < end;) {
    const { models } = (await (await fetch(`${baseUrl}/api/ps`)).json()) as { models: unknown[] };
    if (models.length === 0) return;
    await delay(systemClock, 10);
  }
  throw new Error(`Expected the models to be unloaded within ${UNLOAD_LIMIT_MS} ms, got none that went.`);
}

type Play = (workload: CalibrationWorkload) => Promise<WorkloadOutcome>;

/** Seven requests: what is cold, what is read, what is written, what is swapped in, and a crowd. */
async function fitOf(play: Play, parallel: number): Promise<SpeedFit> {
  const ask = async (requests: readonly CalibrationRequest[]): Promise<readonly RequestOutcome[]> =>
    (await play({ name: "fit", asks: "", requests })).requests;
  const afterEach = (requests: readonly CalibrationRequest[]): readonly CalibrationRequest[] =>
    requests.map((each, at) =>
      at === 0 ? each : { ...each, cue: { of: at - 1, when: "end", delayMs: 0 } as const },
    );
  const one: CalibrationRequest = { model: "a", tokens: 1 };
  const whole: CalibrationRequest = { model: "a", tokens: FIT_TOKENS };
  const prompt = { word: "fit", times: FIT_WORDS };
  const outcomes = await ask(afterEach([one, { ...one, prompt }, whole, { ...one, model: "b" }]));
  const [first, read, written, swapped] = outcomes;
  if (!first || !read || !written || !swapped) throw new Error("Expected four outcomes, got fewer.");
  const decodeTokensPerS = FIT_TOKENS / ((written.endMs - read.endMs) / 1_000);
  const fit = {
    loadMs: first.loadMs,
    unloadMs: Math.max(1, swapped.loadMs - first.loadMs),
    prefillTokensPerS: read.promptTokens / (read.promptMs / 1_000),
    decodeTokensPerS,
  };
  if (parallel === 1) return { ...fit, batchSlowdown: 0 };
  const cue = { of: 0, when: "end", delayMs: 0 } as const;
  const together = await ask([one, ...Array.from({ length: parallel }, () => ({ ...whole, cue }))]);
  const slowestMs = Math.max(...together.map(({ endMs }) => endMs)) - (together[0]?.endMs ?? 0);
  const slower = (slowestMs / 1_000) * (decodeTokensPerS / FIT_TOKENS);
  return { ...fit, batchSlowdown: Math.max(0, (slower - 1) / (parallel - 1)) };
}
