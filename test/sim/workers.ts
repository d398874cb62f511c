// Plays seeds in several processes, each its share; their reports come back as JSON. They end with this one, however
// it ends.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Options } from "./options.ts";
import { emptyTally, type Failure, type Tally } from "./play.ts";

const RUN = fileURLToPath(new URL("./run.ts", import.meta.url));

interface Share {
  readonly first: number;
  readonly seeds: number;
}

function sharesOf({ first, seeds, workers }: Options): readonly Share[] {
  const size = Math.ceil(seeds / workers);
  return Array.from({ length: workers }, (_, at) => ({
    first: first + at * size,
    seeds: Math.max(0, Math.min(size, seeds - at * size)),
  })).filter((share) => share.seeds > 0);
}

function argumentsOf({ first, seeds }: Share, options: Options): readonly string[] {
  return [
    RUN,
    "--first",
    String(first),
    "--seeds",
    String(seeds),
    "--workers",
    "1",
    "--json",
    "--parent",
    String(process.pid),
    ...(options.bail ? ["--bail"] : []),
    ...(options.checkDeterminism ? ["--check-determinism"] : []),
    ...(options.endings ? [] : ["--no-crashes"]),
  ];
}

function playShare(share: Share, options: Options): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argumentsOf(share, options), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0 && code !== 1) return reject(new Error(`A worker ended with code ${code}.`));
      resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")) as Tally);
    });
  });
}

/** Plays the seeds that the options name, in as many processes as they say. */
export async function playOnWorkers(options: Options, onFailure: (text: string) => void): Promise<Tally> {
  const sum = emptyTally();
  const tallies = await Promise.all(sharesOf(options).map((share) => playShare(share, options)));
  for (const tally of tallies) {
    sum.passed += tally.passed;
    sum.steps += tally.steps;
    sum.tasks += tally.tasks;
    sum.lives += tally.lives;
    sum.failures.push(...tally.failures);
  }
  for (const failure of sum.failures) onFailure(words(failure));
  return sum;
}

function words({ seed, check, complaint }: Failure): string {
  return `FAILED ${check}\n  ${complaint}\n  seed ${seed}; replay: npm run sim -- --seed ${seed} --trace`;
}
