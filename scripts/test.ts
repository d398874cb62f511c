// The gate: format, lint, types and tests, in one command. Arguments go to the test runner (`npm test -- store`).
// Ends with the plain line `N passed, N failed`, in which each of the first three counts as one check, and exits 1
// when anything failed. It mends nothing: `npm run fix` formats and fixes what can be fixed.

import { spawn } from "node:child_process";
import type { StdioOptions } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { addTallies, tallyLine, tallyOf } from "./tally.ts";
import type { Tally } from "./tally.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");

const CHECKS: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: "format", command: ["oxfmt", "--check"] },
  { name: "lint", command: ["oxlint", "--deny-warnings"] },
  { name: "types", command: ["tsc", "-p", "."] },
];

interface Ended {
  readonly code: number;
  /** What it printed, where that was piped. */
  readonly output: string;
}

function runCommand(command: readonly string[], stdio: StdioOptions): Promise<Ended> {
  const [program = "", ...args] = command;
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` };
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env, stdio, shell: process.platform === "win32" });
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error) => resolve({ code: 1, output: `${program}: ${error.message}\n` }));
    child.on("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") }));
  });
}

/** Runs one check and shows its output only when it failed. */
async function runCheck({ name, command }: (typeof CHECKS)[number]): Promise<Tally> {
  const { code, output } = await runCommand(command, ["ignore", "pipe", "pipe"]);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n`);
  process.stdout.write(`${code === 0 ? "ok    " : "FAILED"} ${name} (${command.join(" ")})\n`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // The runner broke off before it wrote one; the tally counts that as a failure.
    return undefined;
  }
}

async function runTests(args: readonly string[]): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-test-"));
  const report = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  try {
    const { code, output } = await runCommand(["vitest", "run", ...reporters, ...args], "inherit");
    process.stdout.write(output);
    return tallyOf(readReport(report), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const checks = await Promise.all(CHECKS.map(runCheck));
const tally = addTallies([...checks, await runTests(process.argv.slice(2))]);
if (tally.skipped > 0)
  process.stdout.write(`${tally.skipped} skipped; each says why where it is declared.\n`);
process.stdout.write(`${tallyLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;
