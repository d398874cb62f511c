// What a benchmark says: its claims with their limits, its figures, the machine that it ran on, and what it did not
// measure. A report without that last part is refused by its type. A target that was missed is printed as missed; a
// run that did not do exactly what it claims to have done is void, and its figures are not shown.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface Claim {
  /** In words, with its unit: `spawn cost grows with the power`. */
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  /** Whether the value must stay below or above the limit. */
  readonly bound: "at_most" | "at_least";
}

/** Whether the run did exactly what its figures stand for: every task ended once, nothing was left behind. */
export interface Check {
  readonly name: string;
  readonly holds: boolean;
  /** What came instead. */
  readonly detail?: string;
}

export interface BenchReport {
  readonly name: string;
  /** What was measured, in a sentence. */
  readonly measured: string;
  readonly notMeasured: readonly [string, ...string[]];
  readonly claims: readonly Claim[];
  /** Any that fails makes the run void. */
  readonly checks?: readonly Check[];
  /** Lines for a person, beside the claims. */
  readonly lines: readonly string[];
  /** The raw figures, as JSON. */
  readonly figures: Readonly<Record<string, unknown>>;
}

/** One benchmark: a file of `bench/cases` exports one as `bench`. */
export interface Bench {
  /** For the list of names. */
  readonly summary: string;
  /** What `--part` may name, where a benchmark has parts that say something alone. */
  readonly parts?: readonly string[];
  run(options: BenchOptions): Promise<BenchReport>;
}

export interface BenchOptions {
  /** Asks for fewer rounds: a try, not a figure to report. */
  readonly quick: boolean;
  /** The one part that is asked for; `null` for all. */
  readonly part: string | null;
  /** A real Ollama to measure on as well, and the models to ask there; `model` is the first. */
  readonly ollama: {
    readonly url: string;
    readonly model: string;
    readonly models: readonly string[];
  } | null;
  /** The file of the one workload that is asked for; `null` for all that ship. */
  readonly workload: string | null;
  /** The first seed, and how many; `null` leaves it to the benchmark. */
  readonly seed: number | null;
  readonly seeds: number | null;
  /** How long a run that goes on and on is to last; `null` leaves it to the benchmark. */
  readonly minutes: number | null;
}

export interface HostFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly kernel: string;
  readonly load_average: number;
  readonly runtime: string;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>;
}

const PACKAGES = ["xstate", "hono", "ollama", "openai"] as const;
/** Rivals, where they are installed. */
const RIVALS = ["p-queue", "@langchain/langgraph"] as const;

/** The machine, the runtime, the commit and the versions that figures depend on. */
export function hostFacts(): HostFacts {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    load_average: loadavg()[0] ?? 0,
    runtime: `node ${process.versions.node}`,
    commit: commitOf(),
    versions: Object.fromEntries([
      ...PACKAGES.map((name) => [name, versionOf(`../node_modules/${name}`)] as const),
      ...RIVALS.map((name) => [name, versionOf(`node_modules/${name}`)] as const),
    ]),
  };
}

function commitOf(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const dirty = git("status", "--porcelain") === "" ? "" : " with local changes";
    return `${git("rev-parse", "--short", "HEAD")}${dirty}`;
  } catch {
    // A copy without its history can still be measured.
    return "unknown";
  }
}

function versionOf(folder: string): string {
  const url = new URL(`${folder}/package.json`, import.meta.url);
  if (!existsSync(url)) return "not installed";
  const facts = JSON.parse(readFileSync(url, "utf8")) as { readonly version: string };
  return facts.version;
}

export function holds(claim: Claim): boolean {
  return claim.bound === "at_most" ? claim.value <= claim.limit : claim.value >= claim.limit;
}

/** Whether the run did what its figures stand for. */
export function isExact(report: BenchReport): boolean {
  return (report.checks ?? []).every((check) => check.holds);
}

const figure = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(3));

/** The report for a person; ends with what was not measured. */
export function renderReport(report: BenchReport, host: HostFacts): string {
  const figures = isExact(report)
    ? [...report.claims.map(claimLine), ...report.lines]
    : ["VOID: a check failed, so no figure of this run means anything."];
  return [
    `${report.name}: ${report.measured}`,
    ...(report.checks ?? []).map(checkLine),
    ...figures.map((line) => `  ${line}`),
    `  on ${host.cores} × ${host.cpu}, ${host.memory_gib} GiB, kernel ${host.kernel}, load ${figure(host.load_average)}`,
    `  with ${host.runtime}, commit ${host.commit}, ${versionsLine(host)}`,
    ...report.notMeasured.map((line) => `  not measured: ${line}`),
    "",
  ].join("\n");
}

function claimLine(claim: Claim): string {
  const word = claim.bound === "at_most" ? "≤" : "≥";
  const verdict = holds(claim) ? "holds" : "MISSED";
  return `${verdict.padEnd(7)} ${claim.name}: ${figure(claim.value)} (${word} ${figure(claim.limit)})`;
}

function checkLine({ name, holds: exact, detail }: Check): string {
  return `  ${(exact ? "exact" : "FAILED").padEnd(7)} ${name}${detail === undefined ? "" : `: ${detail}`}`;
}

function versionsLine(host: HostFacts): string {
  return Object.entries(host.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

/** One JSON document: the machine and the reports in order. */
export function reportsJson(reports: readonly BenchReport[], host: HostFacts): string {
  const benches = reports.map((report) => {
    const { name, measured, claims, checks = [], figures, notMeasured } = report;
    const exact = isExact(report);
    return {
      name,
      measured,
      exact,
      checks,
      claims: exact ? claims.map((claim) => ({ ...claim, holds: holds(claim) })) : [],
      figures: exact ? figures : {},
      not_measured: notMeasured,
    };
  });
  return `${JSON.stringify({ host, benches }, null, 2)}\n`;
}
