// What a benchmark says: its claims with their limits, its figures, the machine that it ran on, and what it did not
// measure. A report without that last part is refused by its type.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
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

export interface BenchReport {
  readonly name: string;
  /** What was measured, in a sentence. */
  readonly measured: string;
  readonly notMeasured: readonly [string, ...string[]];
  readonly claims: readonly Claim[];
  /** Lines for a person, beside the claims. */
  readonly lines: readonly string[];
  /** The raw figures, as JSON. */
  readonly figures: Readonly<Record<string, unknown>>;
}

/** One benchmark: a file of `bench/cases` exports one as `bench`. */
export interface Bench {
  /** For the list of names. */
  readonly summary: string;
  /** `quick` asks for fewer rounds: a try, not a figure to report. */
  run(options: { readonly quick: boolean }): Promise<BenchReport>;
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
    versions: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
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

function versionOf(name: string): string {
  const url = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  const facts = JSON.parse(readFileSync(url, "utf8")) as { readonly version: string };
  return facts.version;
}

export function holds(claim: Claim): boolean {
  return claim.bound === "at_most" ? claim.value <= claim.limit : claim.value >= claim.limit;
}

const figure = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(3));

/** The report for a person; ends with what was not measured. */
export function renderReport(report: BenchReport, host: HostFacts): string {
  const claims = report.claims.map((claim) => {
    const word = claim.bound === "at_most" ? "≤" : "≥";
    const verdict = holds(claim) ? "holds" : "BROKEN";
    return `  ${verdict.padEnd(7)} ${claim.name}: ${figure(claim.value)} (${word} ${figure(claim.limit)})`;
  });
  return [
    `${report.name}: ${report.measured}`,
    ...claims,
    ...report.lines.map((line) => `  ${line}`),
    `  on ${host.cores} × ${host.cpu}, ${host.memory_gib} GiB, kernel ${host.kernel}, load ${figure(host.load_average)}`,
    `  with ${host.runtime}, commit ${host.commit}, ${versionsLine(host)}`,
    ...report.notMeasured.map((line) => `  not measured: ${line}`),
    "",
  ].join("\n");
}

function versionsLine(host: HostFacts): string {
  return Object.entries(host.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

/** One JSON document: the machine and the reports in order. */
export function reportsJson(reports: readonly BenchReport[], host: HostFacts): string {
  const benches = reports.map(({ name, measured, claims, figures, notMeasured }) => ({
    name,
    measured,
    claims: claims.map((claim) => ({ ...claim, holds: holds(claim) })),
    figures,
    not_measured: notMeasured,
  }));
  return `${JSON.stringify({ host, benches }, null, 2)}\n`;
}
