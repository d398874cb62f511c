// The real side: an own Ollama on a free port of this machine, with two tiny models of random weights, started and
// ended by its process. What depends on the machine is measured here, and given to the simulated box.

import { delay, systemClock } from "../../src/base/clock.ts";
import { startOllama } from "../../test/ollama/setup.ts";
import { createModel, plainModel } from "../../test/ollama/tiny-models.ts";
import { median } from "../statistics.ts";
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

/** A server that runs. Contract: `stop` is called. */
export interface RealServer {
  readonly version: string;
  play(workload: CalibrationWorkload): Promise<WorkloadOutcome>;
  /** Measures the machine; nothing else may run on the server meanwhile. */
  fit(samples: number): Promise<SpeedFit>;
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
      fit: (samples) => fitOf(play, settings.parallel, samples),
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

async function fitOf(play: Play, parallel: number, samples: number): Promise<SpeedFit> {
  const loads: number[] = [];
  const swaps: number[] = [];
  const decodes: number[] = [];
  const prefills: number[] = [];
  const crowds: number[] = [];
  const ask = async (requests: readonly CalibrationRequest[]): Promise<readonly RequestOutcome[]> =>
    (await play({ name: "fit", asks: "", requests })).requests;
  const afterEach = (requests: readonly CalibrationRequest[]): readonly CalibrationRequest[] =>
    requests.map((each, at) =>
      at === 0 ? each : { ...each, cue: { of: at - 1, when: "end", delayMs: 0 } as const },
    );
  const spanOf = (outcomes: readonly RequestOutcome[], at: number): number =>
    (outcomes[at]?.endMs ?? 0) - (outcomes[at - 1]?.endMs ?? 0);
  const whole: CalibrationRequest = { model: "a", tokens: FIT_TOKENS };
  for (let sample = 0; sample < samples; sample += 1) {
    const word = `w${sample}`;
    const prompt = { word, times: 300 };
    const outcomes = await ask(
      afterEach([
        { model: "a", tokens: 1 },
        { ...whole, tokens: 1, prompt },
        whole,
        { model: "b", tokens: 1 },
      ]),
    );
    const [first, read, , swapped] = outcomes;
    if (!first || !read || !swapped) throw new Error("Expected four outcomes, got fewer.");
    loads.push(first.loadMs);
    prefills.push(read.promptTokens / (read.promptMs / 1_000));
    decodes.push(FIT_TOKENS / (spanOf(outcomes, 2) / 1_000));
    swaps.push(swapped.loadMs);
    if (parallel === 1) continue;
    const crowd: readonly CalibrationRequest[] = Array.from({ length: parallel }, () => ({
      ...whole,
      cue: { of: 0, when: "end", delayMs: 0 },
    }));
    const together = await ask([{ model: "a", tokens: 1 }, ...crowd]);
    const slowest = Math.max(...together.map(({ endMs }) => endMs)) - (together[0]?.endMs ?? 0);
    crowds.push((slowest * ((decodes.at(-1) ?? 1) / 1_000)) / FIT_TOKENS);
  }
  const loadMs = median(loads);
  return {
    loadMs,
    unloadMs: Math.max(1, median(swaps) - loadMs),
    prefillTokensPerS: median(prefills),
    decodeTokensPerS: median(decodes),
    batchSlowdown: parallel === 1 ? 0 : Math.max(0, (median(crowds) - 1) / (parallel - 1)),
  };
}
