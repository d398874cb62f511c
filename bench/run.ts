// Runs one benchmark, or all: `npm run bench -- NAME… [--part NAME] [--quick] [--json] [--ollama URL --model NAME…]`, and
// for `scheduler` [--workload FILE] [--seed N] [--seeds N], for `page` [--minutes N]. Each file of bench/cases is one, so that adding a benchmark is
// adding a file. Exits 1 when a run was not exact, 2 when it was called wrongly; a target that was missed is printed as
// missed.

import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { TroupeError } from "../src/base/errors.ts";
import { hostFacts, isExact, renderReport, reportsJson } from "./report.ts";
import type { Bench, BenchReport } from "./report.ts";

const folder = new URL("cases/", import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -".ts".length))
  .toSorted();

async function load(name: string): Promise<Bench> {
  const file = new URL(`${name}.ts`, folder).href;
  return ((await import(file)) as { readonly bench: Bench }).bench;
}

async function usage(): Promise<string> {
  const rows = await Promise.all(
    names.map(async (name) => `  ${name.padEnd(12)} ${(await load(name)).summary}`),
  );
  return `Usage: npm run bench -- NAME… [--part NAME] [--quick] [--json] [--ollama URL --model NAME…] [--workload FILE] [--seed N] [--seeds N] [--minutes N]   (or: all)\n${rows.join("\n")}\n`;
}

type Counts = [seed: number | null, seeds: number | null, minutes: number | null];

/** `null` where nothing was given, NaN where it is no whole number. */
function countOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      part: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      ollama: { type: "string" },
      model: { type: "string", multiple: true },
      workload: { type: "string" },
      seed: { type: "string" },
      seeds: { type: "string" },
      minutes: { type: "string" },
    },
  });
  const { ollama: url, model: models = [], workload = null } = values;
  const [model] = models;
  if ((url === undefined) !== (model === undefined)) {
    process.stderr.write("Expected --ollama URL and --model NAME together, got one of them.\n");
    return 2;
  }
  const ollama = url === undefined || model === undefined ? null : { url, model, models };
  const [seed, seeds, minutes] = [values.seed, values.seeds, values.minutes].map(countOf) as Counts;
  if ([seed, seeds, minutes].some(Number.isNaN) || seeds === 0 || minutes === 0) {
    process.stderr.write(
      "Expected whole numbers after --seed, --seeds and --minutes, and one seed or minute at least.\n",
    );
    return 2;
  }
  const wanted = positionals.includes("all") ? names : positionals;
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined || wanted.length === 0) {
    if (unknown !== undefined) process.stderr.write(`Expected a benchmark, got \`${unknown}\`.\n`);
    process.stderr.write(await usage());
    return 2;
  }
  const { part = null, quick } = values;
  const benches = await Promise.all(wanted.map(load));
  const without = wanted.find((_, at) => part !== null && benches[at]?.parts?.includes(part) !== true);
  if (without !== undefined) {
    process.stderr.write(`Expected a part of \`${without}\`, got \`${part}\`.\n`);
    return 2;
  }
  const reports: BenchReport[] = [];
  for (const bench of benches) {
    const report = await bench.run({ quick, part, ollama, workload, seed, seeds, minutes });
    if (!values.json) process.stdout.write(renderReport(report, hostFacts()));
    reports.push(report);
  }
  if (values.json) process.stdout.write(reportsJson(reports, hostFacts()));
  return reports.every(isExact) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  // What a person can mend is said in a sentence; anything else is a bug, with its stack.
  if (!(error instanceof TroupeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
