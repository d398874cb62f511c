// Plays seeds one after the other in this process, and says of each that fails what failed and how to see it again.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Options } from "./options.ts";
import { simulate, Simulation, stackOf, type Outcome } from "./simulation.ts";

export interface Failure {
  readonly seed: number;
  readonly check: string;
  readonly complaint: string;
}

export interface Tally {
  passed: number;
  readonly failures: Failure[];
  steps: number;
  tasks: number;
  lives: number;
}

export function emptyTally(): Tally {
  return { passed: 0, failures: [], steps: 0, tasks: 0, lives: 0 };
}

/** The commit of these sources, with a mark when they differ from it; `unknown` where there is no repository. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    return `${git("rev-parse", "HEAD")}${git("status", "--porcelain") === "" ? "" : " (with changes)"}`;
  } catch {
    return "unknown";
  }
}

function failureText({ seed, check, complaint }: Failure, options: Options): string {
  const how = `npm run sim -- --seed ${seed} --trace${options.endings ? "" : " --no-crashes"}`;
  return [
    `FAILED ${check}`,
    `  ${complaint}`,
    `  seed ${seed} at commit ${commit()}`,
    `  replay: ${how}`,
  ].join("\n");
}

/** Plays one seed; a promise that nobody handles belongs to the seed in which it was rejected. */
async function playSeed(seed: number, options: Options): Promise<Outcome> {
  const simulation = new Simulation(seed, { endings: options.endings, keepTrace: options.trace });
  const onUnhandled = (thrown: unknown): void => {
    simulation.tell({ kind: "unhandled", message: stackOf(thrown) });
  };
  process.on("unhandledRejection", onUnhandled);
  process.on("uncaughtException", onUnhandled);
  try {
    return await simulation.play();
  } finally {
    process.off("unhandledRejection", onUnhandled);
    process.off("uncaughtException", onUnhandled);
  }
}

async function failureOf(outcome: Outcome, options: Options): Promise<Failure | null> {
  const { seed, violation } = outcome;
  if (violation) return { seed, check: `${violation.id} ${violation.check}`, complaint: violation.complaint };
  if (!options.checkDeterminism) return null;
  const again = await simulate(seed, { endings: options.endings, keepTrace: false });
  if (again.hash === outcome.hash) return null;
  return {
    seed,
    check: "determinism",
    complaint: `the log's hash is ${outcome.hash} and then ${again.hash}`,
  };
}

/** Plays the seeds that the options name. Throws when nobody is there any more who wants to hear of them. */
export async function playSeeds(options: Options, onFailure: (text: string) => void): Promise<Tally> {
  const tally = emptyTally();
  for (let seed = options.first; seed < options.first + options.seeds; seed++) {
    if (options.parent !== null && process.ppid !== options.parent)
      throw new Error("Whoever began it is gone.");
    const outcome = await playSeed(seed, options);
    tally.steps += outcome.steps;
    tally.tasks += outcome.tasks;
    tally.lives += outcome.lives;
    const failure = await failureOf(outcome, options);
    if (!failure) {
      tally.passed++;
      continue;
    }
    tally.failures.push(failure);
    onFailure(failureText(failure, options));
    if (options.bail) break;
  }
  return tally;
}

/** Prints the log of one seed, the same to the byte every time; its exit code. */
export async function replay(seed: number, options: Options): Promise<number> {
  const outcome = await playSeed(seed, options);
  for (const line of outcome.lines) process.stdout.write(`${line}\n`);
  const { violation, hash, tasks, lives, steps } = outcome;
  process.stdout.write(`${steps} steps, ${tasks} tasks, ${lives} lives, log hash ${hash}\n`);
  if (violation) {
    const failure = { seed, check: `${violation.id} ${violation.check}`, complaint: violation.complaint };
    process.stdout.write(`${failureText(failure, options)}\n`);
  }
  process.stdout.write(violation ? "0 passed, 1 failed\n" : "1 passed, 0 failed\n");
  return violation ? 1 : 0;
}

/** What was played, in words. */
export function describe({ passed, failures, steps, tasks, lives }: Tally, seconds: number): string {
  const seeds = passed + failures.length;
  const rate = Math.round(seeds / Math.max(seconds, 0.001));
  return `${seeds} seeds, ${tasks} tasks, ${lives} lives of the server and ${steps} steps in ${seconds.toFixed(1)} s (${rate} seeds/s)`;
}
