// The test of the tests: `npm run mutants [-- --only NAME…] [-- --seeds N] [-- --workers N]`. Puts one mutant after
// the other into a simulation of its own and asks whether a seed turns red. Refuses to begin while the code without a
// mutant is red. Ends with `N passed, N failed`: a mutant passes when it is caught. Exits 1 when one is not, 2 when it
// was called wrongly.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MUTANTS } from "./catalogue.ts";
import { MUTANT_VARIABLE, mutated, type Mutant } from "./mutant.ts";
import { verdictOf, type Ran, type Verdict } from "./verdict.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const loader = new URL("loader.ts", import.meta.url).href;
/** A simulation that takes this long hangs: the slowest of them is done in a fifth of it. */
const TOO_LONG_MS = 900_000;

interface Asked {
  readonly mutants: readonly Mutant[];
  readonly seeds: number;
  readonly healthySeeds: number;
  readonly workers: number;
  readonly program: string;
}

interface Simulation {
  readonly program: string;
  readonly first: number;
  readonly seeds: number;
  readonly mutant: Mutant | null;
}

/** One simulation in a process of its own, with one mutant in it or none. Never rejects. */
function simulate({ program, first, seeds, mutant }: Simulation): Promise<Ran> {
  const flags = [
    "--first",
    String(first),
    "--seeds",
    String(seeds),
    "--workers",
    "1",
    "--bail",
    "--json",
    "--parent",
    String(process.pid),
  ];
  const child = spawn(process.execPath, ["--import", loader, program, ...flags], {
    cwd: root,
    env: { ...process.env, [MUTANT_VARIABLE]: mutant?.name ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), TOO_LONG_MS);
    const end = (code: number | null): void => {
      clearTimeout(timer);
      resolve({ code, ...said });
    };
    child.on("error", (error) => {
      said.stderr += error.message;
      end(2);
    });
    child.on("close", (code) => end(code));
  });
}

/**
 * Contract: a stale mutant is an answer like any other, and costs no simulation. A seed that is red without the mutant
 * too says nothing of it.
 */
async function examine(mutant: Mutant, { program, seeds, healthySeeds }: Asked): Promise<Verdict> {
  try {
    mutated(readFileSync(`${root}${mutant.file}`, "utf8"), mutant);
  } catch (thrown) {
    return { kind: "void", reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  for (let first = 0; first < seeds;) {
    const verdict = verdictOf(await simulate({ program, first, seeds: seeds - first, mutant }));
    if (verdict.kind !== "caught" || verdict.seed < healthySeeds) return verdict;
    const { code } = await simulate({ program, first: verdict.seed, seeds: 1, mutant: null });
    if (code === 0) return verdict;
    first = verdict.seed + 1;
  }
  return { kind: "survived" };
}

function lineOf({ name }: Mutant, verdict: Verdict, ms: number): string {
  const head = `${verdict.kind.padEnd(9)} ${name.padEnd(42)} ${(ms / 1000).toFixed(1).padStart(6)} s`;
  if (verdict.kind === "caught") return `${head}  seed ${verdict.seed}: ${verdict.check}`;
  return verdict.kind === "void" ? `${head}  ${verdict.reason}` : head;
}

async function examineAll(asked: Asked): Promise<readonly Mutant[]> {
  const missed: Mutant[] = [];
  const left = [...asked.mutants];
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant; mutant = left.shift()) {
      const since = performance.now();
      const verdict = await examine(mutant, asked);
      process.stdout.write(`${lineOf(mutant, verdict, performance.now() - since)}\n`);
      if (verdict.kind !== "caught") missed.push(mutant);
    }
  };
  await Promise.all(Array.from({ length: asked.workers }, work));
  return missed;
}

async function isHealthy({ program, healthySeeds }: Asked): Promise<boolean> {
  const { code, stdout, stderr } = await simulate({ program, first: 0, seeds: healthySeeds, mutant: null });
  if (code === 0) return true;
  process.stdout.write(`${stdout}${stderr}`);
  process.stdout.write("The code is red without any mutant; mend that first.\n");
  return false;
}

function asked(): Asked | string {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: [] },
      seeds: { type: "string", default: "10000" },
      "healthy-seeds": { type: "string", default: "300" },
      workers: { type: "string", default: "2" },
      program: { type: "string", default: "test/sim/run.ts" },
    },
  });
  const [seeds, healthySeeds, workers] = [values.seeds, values["healthy-seeds"], values.workers].map(Number);
  const unknown = values.only.find((name) => !MUTANTS.some((each) => each.name === name));
  if (unknown !== undefined) return `Expected the name of a mutant after --only, got \`${unknown}\`.`;
  if (![seeds, healthySeeds, workers].every((figure) => Number.isSafeInteger(figure) && Number(figure) > 0))
    return "Expected whole numbers from 1 after --seeds, --healthy-seeds and --workers.";
  const mutants =
    values.only.length === 0 ? MUTANTS : MUTANTS.filter(({ name }) => values.only.includes(name));
  return {
    mutants,
    program: values.program,
    seeds: seeds as number,
    healthySeeds: healthySeeds as number,
    workers: workers as number,
  };
}

async function main(): Promise<number> {
  const wanted = asked();
  if (typeof wanted === "string") {
    process.stderr.write(`${wanted}\n`);
    return 2;
  }
  if (!(await isHealthy(wanted))) {
    process.stdout.write("0 passed, 1 failed\n");
    return 1;
  }
  const missed = await examineAll(wanted);
  for (const { name, invariant, why } of missed) {
    process.stdout.write(`not caught: ${name} (${invariant}) ${why}\n`);
  }
  process.stdout.write(`${wanted.mutants.length - missed.length} passed, ${missed.length} failed\n`);
  return missed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
