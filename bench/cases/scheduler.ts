// The scheduler against its peers: the same work on the same simulated Ollama, each run on a virtual clock of its own.
// What is compared is when turns are sent and what is loaded when; all contenders are clients of one server.
//
// It does not measure: a GPU (the simulator's rates are chosen, its rules are Ollama's; `bench -- calibrate` compares
// the two), the wits of a model, the cost of the runtime around the scheduler (store, events, tools: see `slots` and
// `durability`), HTTP, and peers' own programs: their rules are written anew here, p-queue apart. With `--ollama URL
// --model NAME…` the same contenders work on a person's own server, on the machine's clock; then no bound is known.

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Bench, BenchOptions, BenchReport } from "../report.ts";
import { chartSvg, type Chart } from "../scheduler/chart.ts";
import { contendersFor, FEW_CONTENDERS } from "../scheduler/contenders.ts";
import { realGround, simulatedGround } from "../scheduler/ground.ts";
import { chartOf, matrixReport } from "../scheduler/matrix-report.ts";
import { runMatrix, type MatrixRow } from "../scheduler/matrix.ts";
import { shippedWorkloads } from "../scheduler/shipped.ts";
import { readWorkload, type Workload } from "../scheduler/workload.ts";

const SEEDS = 8;
const QUICK_SEEDS = 2;
const CHARTS = new URL("../charts/", import.meta.url);
const REAL_WORKLOAD = new URL("../workloads/real/small.yaml", import.meta.url);
/** The workloads of the README's chart. */
const SHOWN = ["w1-fan-out", "w2-two-models"];

const NOT_MEASURED = [
  "the runtime around the scheduler: no store, events, transcripts or tools (bench -- slots, durability)",
  "the peers' own programs: their rules are written anew here, p-queue apart; llama-swap without its cap of ten, LiteLLM with a cap that it does not enforce by itself",
  "clouds and their keys; servers that are not alike",
] as const;
const SIMULATED =
  "a GPU: rates, loads and caches are the simulator's, which follows Ollama's rules (bench -- calibrate compares it with a real one)";
const REAL = "a quiet machine, and loads shorter than a tenth of a second; one seed says little";

export const bench: Bench = {
  summary: "Troupe's scheduler beside seven peers on one simulated GPU: W1 to W13, or a workload file",
  async run(options) {
    if (options.ollama !== null) return onOwnServer(options, options.ollama);
    const workloads = options.workload === null ? shippedWorkloads() : [readWorkload(options.workload)];
    const rows: MatrixRow[] = [];
    for (const workload of workloads) {
      process.stderr.write(`${workload.name} …\n`);
      const seeds = seedsOf(workload, options, SEEDS);
      rows.push(
        await runMatrix(workload, { strategies: contendersFor(workload), seeds, ground: simulatedGround }),
      );
    }
    const chart = options.quick ? null : writeChart(chartOfSimulated(rows), rows);
    return reportOf(rows, { chart, notMeasured: [SIMULATED, ...NOT_MEASURED] });
  },
};

async function onOwnServer(
  options: BenchOptions,
  ollama: NonNullable<BenchOptions["ollama"]>,
): Promise<BenchReport> {
  const { workload, ground } = await realGround(readWorkload(options.workload ?? REAL_WORKLOAD), ollama);
  process.stderr.write(`${workload.name} on ${ollama.url} …\n`);
  const seeds = seedsOf(workload, options, 1);
  const row = await runMatrix(workload, { strategies: FEW_CONTENDERS, seeds, ground });
  const words = {
    title: `${workload.parents.count} parents on your own Ollama`,
    caption: `What it worked for until everything was done (seed ${seeds[0]}). Grey: it loaded, or waited.`,
  };
  const chart = options.quick ? null : writeChart({ name: "own-server", ...chartOf([row], words) }, [row]);
  return reportOf([row], { chart, notMeasured: [REAL, ...NOT_MEASURED] });
}

/** From the workload's own seed, unless another one is asked for, which is then run alone. */
function seedsOf(workload: Workload, { seed, seeds, quick }: BenchOptions, usual: number): readonly number[] {
  const most = seeds ?? (seed !== null ? 1 : quick ? Math.min(QUICK_SEEDS, usual) : usual);
  return Array.from({ length: most }, (_, at) => (seed ?? workload.seed) + at);
}

interface NamedChart extends Chart {
  readonly name: string;
}

function chartOfSimulated(rows: readonly MatrixRow[]): NamedChart {
  const [first] = rows as readonly [MatrixRow, ...MatrixRow[]];
  const alone = rows.length === 1;
  const shown = alone ? rows : rows.filter(({ workload }) => SHOWN.includes(workload.name));
  const { seeds, workload } = first;
  const which = seeds.length === 1 ? `seed ${seeds[0]}` : `seed ${seeds[0]}, the first of ${seeds.length}`;
  const words = {
    title: alone ? workload.name : "8 parents, 96 children, one GPU",
    caption: `What a simulated Ollama worked for until everything was done (${which}). Grey: it loaded, or waited.`,
  };
  return { name: alone ? workload.name : "scheduler", ...chartOf(shown, words) };
}

/** Where it was written; nothing is drawn of a run that was not exact. */
function writeChart({ name, ...chart }: NamedChart, rows: readonly MatrixRow[]): string | null {
  if (matrixReport(rows).checks.some((check) => !check.holds)) return null;
  mkdirSync(CHARTS, { recursive: true });
  const file = new URL(`${name}.svg`, CHARTS);
  writeFileSync(file, chartSvg(chart));
  return fileURLToPath(file);
}

function reportOf(
  rows: readonly MatrixRow[],
  { chart, notMeasured }: Pick<BenchReport, "notMeasured"> & { readonly chart: string | null },
): BenchReport {
  const { claims, checks, lines, figures } = matrixReport(rows);
  return {
    name: "scheduler",
    measured: "the same tasks on the same server by contender; ratios are medians of the seeds' own ratios",
    notMeasured,
    claims,
    checks,
    lines: [
      ...lines,
      "",
      "Elsewhere: 300 stub tasks at cap 3 beside p-queue, slot free → next start: bench -- slots; slots: auto against pinned caps: bench -- caps; a decision with 10,000 waiting: bench -- decisions.",
      ...(chart === null ? [] : [`Chart: ${chart}`]),
    ],
    figures: { ...figures, chart },
  };
}
