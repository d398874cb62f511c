// Runs the tests that need a real Ollama against the one that `OLLAMA_HOST` names, else 127.0.0.1:11434. Where none
// answers it says so and checks nothing: exit code 0, so that a machine without Ollama is no failure.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The tests read the base URL from here and skip themselves without it. */
const URL_VARIABLE = "TROUPE_TEST_OLLAMA";
const TESTS = "ollama";
const ANSWER_WITHIN_MS = 3_000;

/** Ollama's own forms: `host`, `host:port`, `:port`, a URL; an address to listen on is reached through loopback. */
function baseUrl(host: string): string {
  const text = host.trim().replace(/\/+$/, "") || "127.0.0.1";
  const [scheme, rest] = text.includes("://") ? text.split("://", 2) : ["http", text];
  const named = (rest ?? "").startsWith(":")
    ? `127.0.0.1${rest}`
    : (rest ?? "").replace(/^0\.0\.0\.0/, "127.0.0.1");
  const port = /:\d+(?:\/|$)/.test(named) ? "" : scheme === "https" ? ":443" : ":11434";
  return `${scheme}://${named}${port}`;
}

async function versionAt(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/api/version`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const answer = (await response.json()) as { readonly version?: string };
    return answer.version;
  } catch {
    // Nobody listens, or something that is no Ollama: both mean that there is nothing to test.
    return undefined;
  }
}

const url = baseUrl(process.env["OLLAMA_HOST"] ?? "");
const version = await versionAt(url);
if (version === undefined) {
  process.stdout.write(`Skipped: no Ollama answers at ${url}. Start one, or set OLLAMA_HOST.\n`);
} else {
  process.stdout.write(`Ollama ${version} at ${url}\n`);
  const runner = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
  const run = spawnSync(process.execPath, [runner, "run", TESTS, ...process.argv.slice(2)], {
    cwd: root,
    env: { ...process.env, [URL_VARIABLE]: url },
    stdio: "inherit",
  });
  process.exitCode = run.status ?? 1;
}
