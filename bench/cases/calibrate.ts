// The calibration: the same small workloads on a real Ollama and on the simulated box, which has the real one's speed
// and nothing else of it. What both decide must be the same: who ends how, how often models load, in which order
// answers end and at which share of the whole. Without an Ollama nothing is compared and the run is void.

import { findOllama } from "../../test/ollama/setup.ts";
import { startReal, type RealServer } from "../calibrate/real.ts";
import { middleFit, simulate, type ServerSettings, type SpeedFit } from "../calibrate/simulated.ts";
import { WORKLOADS, type CalibrationWorkload } from "../calibrate/workloads.ts";
import {
  difference,
  middleOf,
  spreadOf,
  type Difference,
  type WorkloadOutcome,
} from "../calibrate/outcome.ts";
import type { Bench, BenchReport, Check } from "../report.ts";

const PARALLEL = [1, 4] as const;
const MAX_QUEUE = 512;

interface Comparison {
  readonly name: string;
  readonly workload: CalibrationWorkload;
  readonly fit: SpeedFit;
  readonly real: WorkloadOutcome;
  readonly simulated: WorkloadOutcome;
  readonly difference: Difference;
  /** How far the real server's own rounds lie apart. */
  readonly spread: number;
}

/** One server's share: what it made of the workloads that it may take. Its speed is taken before each round. */
async function compareOn(
  server: RealServer,
  settings: ServerSettings,
  rounds: number,
): Promise<readonly (Comparison | string)[]> {
  const results: (Comparison | string)[] = [];
  for (const workload of WORKLOADS) {
    if ((workload.maxQueue ?? MAX_QUEUE) !== settings.maxQueue) continue;
    const name = `${workload.name}, ${settings.parallel} at once`;
    const runs: WorkloadOutcome[] = [];
    const fits: SpeedFit[] = [];
    for (let round = 0; round < rounds; round += 1) {
      fits.push(await server.fit());
      runs.push(await server.play(workload));
    }
    const real = middleOf(runs);
    if (real === null) {
      results.push(`${name}: ${runs.map((run) => `${run.loads} loads, ends ${ends(run)}`).join("; ")}`);
      continue;
    }
    const fit = middleFit(fits);
    const simulated = await simulate(workload, settings, fit);
    results.push({
      name,
      workload,
      fit,
      real,
      simulated,
      difference: difference(real, simulated),
      spread: spreadOf(runs, real),
    });
  }
  return results;
}

async function compareAll(program: string, quick: boolean) {
  const queues = [...new Set(WORKLOADS.map(({ maxQueue }) => maxQueue ?? MAX_QUEUE))];
  const results: (Comparison | string)[] = [];
  let version = "";
  for (const parallel of PARALLEL) {
    for (const maxQueue of queues) {
      const settings = { parallel, maxQueue };
      const server = await startReal(program, settings);
      try {
        version = server.version;
        results.push(...(await compareOn(server, settings, quick ? 1 : 3)));
      } finally {
        await server.stop();
      }
    }
  }
  return { results, version };
}

const ends = ({ requests }: WorkloadOutcome): string =>
  requests.map(({ ended, endMs }) => (ended === "done" ? String(Math.round(endMs)) : ended)).join(" ");

function lineOf({ name, workload, real, simulated, difference: found, spread }: Comparison): string {
  const same = found.sameEnds && found.sameLoads && found.wrongPairs === 0;
  const word = workload.knownDifference ? "known" : same ? "same" : "OTHER";
  const prompts = ({ requests }: WorkloadOutcome): string =>
    requests.map(({ promptMs }) => promptMs.toPrecision(2)).join(" ");
  const read = workload.requests.some(({ prompt }) => prompt)
    ? `; prompts ${prompts(real)} | ${prompts(simulated)} ms`
    : "";
  return (
    `${word.padEnd(6)}${name.padEnd(26)} loads ${real.loads} | ${simulated.loads}, ` +
    `completion ± ${(found.meanCompletion * 100).toFixed(1)} %, at most ${(found.worstCompletion * 100).toFixed(1)} % (real rounds among themselves ± ${(spread * 100).toFixed(1)} %); ` +
    `ends ${ends(real)} | ${ends(simulated)} ms${read}`
  );
}

function reportOf(found: Awaited<ReturnType<typeof compareAll>>): BenchReport {
  const compared = found.results.filter((result) => typeof result !== "string");
  const unsteady = found.results.filter((result) => typeof result === "string");
  const checked = compared.filter(({ workload }) => !workload.knownDifference);
  const count = (holds: (difference: Difference) => boolean): number =>
    checked.filter((each) => !holds(each.difference)).length;
  const pairs = checked.reduce((sum, each) => sum + each.difference.clearPairs, 0);
  const atMost = (name: string, value: number, limit: number) =>
    ({ name, value, limit, bound: "at_most" }) as const;
  const failed = compared.filter(({ real, simulated }) =>
    [real, simulated].some(({ requests }) => requests.some(({ ended }) => ended === "failed")),
  );
  const checks: readonly Check[] = [
    {
      name: "every request came to its end on both servers, by an answer, a refusal or its client's leave",
      holds: failed.length === 0,
      detail: failed[0]?.name ?? `${compared.length} workloads`,
    },
  ];
  return {
    ...WORDS,
    checks,
    claims: [
      atMost(
        "workloads in which a request ends otherwise",
        count(({ sameEnds }) => sameEnds),
        0,
      ),
      atMost(
        "workloads with another number of loads",
        count(({ sameLoads }) => sameLoads),
        0,
      ),
      atMost(
        `pairs of completions in another order, of ${pairs}`,
        checked.reduce((sum, each) => sum + each.difference.wrongPairs, 0),
        0,
      ),
      atMost(
        "relative completion, mean difference",
        checked.reduce((sum, each) => sum + each.difference.meanCompletion, 0) / checked.length,
        0.05,
      ),
      atMost(
        "relative completion, largest difference",
        Math.max(...checked.map((each) => each.difference.worstCompletion)),
        0.1,
      ),
    ],
    lines: [
      `Ollama ${found.version} | simulator`,
      ...compared.map(lineOf),
      ...unsteady.map((line) => `UNSTEADY ${line}`),
      ...compared.flatMap(({ name, workload: { knownDifference } }) =>
        knownDifference ? [`known: ${name}: ${knownDifference}`] : [],
      ),
    ],
    figures: { version: found.version, compared, unsteady },
  };
}

const WORDS = {
  name: "calibrate",
  measured:
    "order, loads and relative completion of small workloads on a real Ollama (OLLAMA_MAX_LOADED_MODELS=1, two tiny models " +
    "of random weights, on the CPU) and on the simulated box, which was given the real one's speed",
  notMeasured: [
    "a GPU: no VRAM that is full, no recovery wait, no batching that gains anything",
    "models that share a GPU, several GPUs, and whatever else needs more than one model in memory",
    "faults, and the host's prompt cache, which this version does not have",
  ],
} as const;

export const bench: Bench = {
  summary:
    "the simulated box beside a real Ollama: order, loads, relative completion of the same small workloads",
  async run({ quick }) {
    const program = await findOllama();
    if (program !== null) return reportOf(await compareAll(program, quick));
    return {
      ...WORDS,
      checks: [
        {
          name: "an Ollama to compare with",
          holds: false,
          detail:
            "expected the program at OLLAMA_BIN, on PATH or in Go's folder, found none: nothing was compared",
        },
      ],
      claims: [],
      lines: [],
      figures: {},
    };
  },
};
