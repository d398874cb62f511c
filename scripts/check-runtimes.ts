// Runs test/runtimes/smoke.ts on Node, Bun and Deno and compares what they print; it must be the same, and the process
// must end by itself once it has printed. Ends with `N passed, N failed`. Bun and Deno come from the package in
// test/runtimes; a runtime that cannot start is a failure, never a skip.

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { addTallies, tallyLine } from "./tally.ts";
import type { Tally } from "./tally.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const installed = (name: string): string =>
  fileURLToPath(new URL(`../test/runtimes/node_modules/.bin/${name}`, import.meta.url));

interface RuntimeUnderTest {
  readonly name: string;
  readonly command: readonly string[];
  /** Answers that must differ from Node's, and what each must hold instead. */
  readonly unlike?: Readonly<Record<string, RegExp>>;
}

const deno = (...rights: readonly string[]): readonly string[] => [
  installed("deno"),
  "run",
  "--no-prompt",
  ...rights,
];

/** Deno's node:http asks the environment for proxies before each request, also for one on a socket that is given to it. */
const PROXY_NAMES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()])
  .join(",");

const RUNTIMES: readonly RuntimeUnderTest[] = [
  { name: "node", command: [process.execPath] },
  { name: "bun", command: [installed("bun"), "run"] },
  // The file tools ask /proc/self/fd where a descriptor led, and Deno shows /proc to nobody who has less than all.
  { name: "deno", command: deno("--allow-all") },
  // What everything else needs and no more, so that a new need is noticed here.
  {
    name: "deno with few rights",
    command: deno("--allow-net=127.0.0.1", "--allow-read", `--allow-env=${PROXY_NAMES}`),
    unlike: {
      reading: /read_file failed: .*--allow-all/,
      database: /no folder for a database: .*--allow-/,
      shells: /no folder for a workspace: .*--allow-/,
    },
  },
];

const TIMEOUT_MS = 60_000;
/** What is still open after the last line keeps the process alive; closing takes milliseconds, or seconds on a busy machine. */
const END_WITHIN_MS = 15_000;

const NOTES: Readonly<Record<string, string>> = {
  "alpha.md": "# Alpha\n\nThe first note.\n\n## Detail\n\nMore of it.\n",
  "beta.md": "# Beta\n\nThe second note.\n",
};

interface Outcome {
  readonly code: number | null;
  readonly line: string;
  readonly complaint: string;
  readonly seconds: number;
}

function runSmoke(command: readonly string[], workspace: string): Promise<Outcome> {
  const [program = "", ...args] = command;
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const child = spawn(program, [...args, "test/runtimes/smoke.ts", workspace], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    let line = "";
    let complaint = "";
    const end = (code: number | null): void => {
      clearTimeout(limit);
      resolve({ code, line: line.trim(), complaint, seconds: (performance.now() - startedAt) / 1000 });
    };
    const stop = (why: string): void => {
      complaint += `\n${why}`;
      child.kill("SIGKILL");
    };
    let limit = setTimeout(() => stop(`it did not end within ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      line += text;
      if (!line.endsWith("\n")) return;
      clearTimeout(limit);
      const why = `it printed its answers, but something kept it alive for ${END_WITHIN_MS / 1000} s more`;
      limit = setTimeout(() => stop(why), END_WITHIN_MS);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    child.on("error", (error) => {
      complaint += error.message;
      end(null);
    });
    child.on("close", end);
  });
}

type Answers = Readonly<Record<string, unknown>>;

function parsed(line: string): Answers | null {
  try {
    return JSON.parse(line) as Answers;
  } catch {
    return null;
  }
}

/** What is wrong with the answers; nothing when they are Node's, but for those that must differ. */
function complaintsOf(expected: Answers, line: string, { unlike = {} }: RuntimeUnderTest): readonly string[] {
  const got = parsed(line);
  if (got === null) return [`expected one JSON line, got: ${line.slice(0, 500)}`];
  const names = [...new Set([...Object.keys(expected), ...Object.keys(got)])];
  return names.flatMap((name) => {
    const [mine, other] = [JSON.stringify(expected[name]), JSON.stringify(got[name])];
    const instead = unlike[name];
    if (instead ? instead.test(other ?? "") : mine === other) return [];
    return [`${name}: expected ${instead ? String(instead) : mine}, got ${other}`];
  });
}

async function check(runtime: RuntimeUnderTest, workspace: string, expected: Answers | null) {
  const outcome = await runSmoke(runtime.command, workspace);
  const answers = expected ?? parsed(outcome.line) ?? {};
  const wrong = complaintsOf(answers, outcome.line, runtime);
  const good = outcome.code === 0 && wrong.length === 0;
  const took = `${outcome.seconds.toFixed(1)} s`;
  process.stdout.write(`${good ? "ok    " : "FAILED"} smoke on ${runtime.name} (${took})\n`);
  const lines = [`exit code ${outcome.code}`, ...wrong, outcome.complaint.trim()].map(
    (text) => `  ${text}\n`,
  );
  if (!good) process.stdout.write(lines.join(""));
  return { answers, tally: { passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0 } satisfies Tally };
}

const workspace = await mkdtemp(join(tmpdir(), "troupe-smoke-"));
try {
  await mkdir(join(workspace, "notes"));
  for (const [name, text] of Object.entries(NOTES)) await writeFile(join(workspace, "notes", name), text);
  let expected: Answers | null = null;
  const tallies: Tally[] = [];
  for (const runtime of RUNTIMES) {
    const { answers, tally } = await check(runtime, workspace, expected);
    expected ??= answers;
    tallies.push(tally);
  }
  process.stdout.write(`${JSON.stringify(expected)}\n`);
  const tally = addTallies(tallies);
  process.stdout.write(`${tallyLine(tally)}\n`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
} finally {
  await rm(workspace, { recursive: true, force: true });
}
