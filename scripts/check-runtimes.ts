// Runs test/runtimes/smoke.ts on Node, Bun and Deno and compares what they print. Ends with `N passed, N failed`.
// Bun and Deno come from the package in test/runtimes; a runtime that cannot start is a failure, never a skip.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { addTallies, tallyLine } from "./tally.ts";
import type { Tally } from "./tally.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const installed = (name: string): string =>
  fileURLToPath(new URL(`../test/runtimes/node_modules/.bin/${name}`, import.meta.url));

/** What the smoke program needs and no more, so that a new need is noticed here. */
const DENO_RIGHTS = ["--no-prompt", "--allow-net=127.0.0.1", "--allow-read"];

const RUNTIMES: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: "node", command: [process.execPath] },
  { name: "bun", command: [installed("bun"), "run"] },
  { name: "deno", command: [installed("deno"), "run", ...DENO_RIGHTS] },
];

const TIMEOUT_MS = 120_000;

interface Outcome {
  readonly code: number | null;
  readonly line: string;
  readonly complaint: string;
}

function runSmoke(command: readonly string[]): Outcome {
  const [program = "", ...args] = command;
  const run = spawnSync(program, [...args, "test/runtimes/smoke.ts"], {
    cwd: root,
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    shell: process.platform === "win32",
  });
  const complaint = [run.error?.message ?? "", run.stderr ?? ""].join("\n").trim();
  return { code: run.status, line: (run.stdout ?? "").trim(), complaint };
}

/** The steps whose answers differ from Node's, with both answers. */
function differences(expected: string, line: string): string {
  try {
    const [ours, theirs] = [JSON.parse(expected), JSON.parse(line)] as Record<string, unknown>[];
    const names = new Set([...Object.keys(ours ?? {}), ...Object.keys(theirs ?? {})]);
    const shown = [...names].map((name) => [
      name,
      JSON.stringify(ours?.[name]),
      JSON.stringify(theirs?.[name]),
    ]);
    return shown
      .filter(([, mine, other]) => mine !== other)
      .map(([name, mine, other]) => `  ${name}: expected ${mine}, got ${other}\n`)
      .join("");
  } catch {
    return `  expected one JSON line, got: ${line.slice(0, 500)}\n`;
  }
}

let reference: string | undefined;
const tallies = RUNTIMES.map(({ name, command }): Tally => {
  const { code, line, complaint } = runSmoke(command);
  reference ??= line;
  const good = code === 0 && line !== "" && line === reference;
  process.stdout.write(`${good ? "ok    " : "FAILED"} smoke on ${name}\n`);
  if (!good) process.stdout.write(`  exit code ${code}\n${differences(reference, line)}${complaint}\n`);
  return { passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0 };
});
process.stdout.write(`${reference ?? ""}\n`);
const tally = addTallies(tallies);
process.stdout.write(`${tallyLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;
