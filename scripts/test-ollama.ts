// Runs the tests that need a real Ollama. Where its program is (OLLAMA_BIN, PATH, Go's folder) they start servers of
// their own, on free loopback ports, with two tiny models of their own, and touch nobody else's. Else the server that
// answers at OLLAMA_HOST or 127.0.0.1:11434 is used: it is given the two models for as long as that takes. Where there
// is neither, it says so and checks nothing: exit code 0, so that a machine without Ollama is no failure.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ollamaUrl } from "../src/config/plan.ts";
import { findOllama } from "../test/ollama/setup.ts";
import { createTinyModels, deleteModel, TINY_MODELS } from "../test/ollama/tiny-models.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const ANSWER_WITHIN_MS = 3_000;

async function answerOf(url: string): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return (await response.json()) as Record<string, unknown>;
  } catch {
    // Nobody listens, or something that is no Ollama: both mean that there is nothing to test.
    return undefined;
  }
}

/** `own` lets the tests start servers with the program that the rest of the environment names. */
function runTests(env: Readonly<Record<string, string>>): number {
  const runner = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
  const args = [runner, "run", "test/ollama", ...process.argv.slice(2)];
  const run = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  return run.status ?? 1;
}

/** The models that the server lacks are made, and taken away again. */
async function onRunning(url: string, version: string): Promise<number> {
  const { models = [] } = (await answerOf(`${url}/api/tags`)) as {
    models?: readonly { readonly name: string }[];
  };
  const names = models.map((model) => model.name);
  const lacking = TINY_MODELS.filter((name) => !names.includes(`${name}:latest`));
  process.stdout.write(
    `Ollama ${version} at ${url}, for as long as this takes with ${TINY_MODELS.join(" and ")}\n`,
  );
  if (lacking.length > 0) await createTinyModels(url);
  try {
    return runTests({ OLLAMA_HOST: url });
  } finally {
    for (const name of lacking) await deleteModel(url, name);
  }
}

async function main(): Promise<number> {
  const program = await findOllama();
  if (program !== null) {
    process.stdout.write(`Ollama's program is ${program}: the tests start servers of their own\n`);
    return runTests({ TROUPE_TEST_OLLAMA: "1", OLLAMA_BIN: program });
  }
  const url = ollamaUrl(process.env);
  const version = (await answerOf(`${url}/api/version`))?.["version"];
  if (typeof version === "string") return onRunning(url, version);
  const where = `no Ollama answers at ${url}, and its program is neither on PATH nor at OLLAMA_BIN`;
  process.stdout.write(`Skipped: ${where}. Install it, start it, or set OLLAMA_HOST.\n`);
  return 0;
}

process.exitCode = await main();
