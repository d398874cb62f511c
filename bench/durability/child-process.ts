// Runs child.ts in a process of its own, takes the one line that it prints, and kills it: that is how every server of
// these benchmarks ends, so none of them tidies up first.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));

/** What the child printed. Contract: rejects when it ends without a line; the child is gone when it resolves. */
export async function inChild(...args: readonly (string | number)[]): Promise<unknown> {
  const child = spawn(process.execPath, ["--expose-gc", CHILD, ...args.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const lines = createInterface(child.stdout);
  const line = await Promise.race([
    once(lines, "line").then(([text]: unknown[]) => String(text)),
    ended.then(() => null),
  ]);
  child.kill("SIGKILL");
  await ended;
  if (line === null) throw new Error(`Expected a line of \`${args.join(" ")}\`, got none.`);
  return JSON.parse(line) as unknown;
}
