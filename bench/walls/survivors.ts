// How long what a command left behind outlives the end of its session: commands that do all they can to get away
// (setsid, double fork, nohup, deaf to signals), until none of them runs any more, by /proc.

import { systemClock, type Clock } from "../../src/base/clock.ts";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { makeGround, sandboxHere, type Ground } from "../../test/sandbox/machine.ts";
import { attackerIn, escapees, running, wordOf } from "../../test/security/terminal-ground.ts";

export type End = "cancel" | "timeout" | "kill -9 of the server";

export const ENDS: readonly End[] = ["cancel", "timeout", "kill -9 of the server"];
const LEFT_BEHIND = 6;
const VICTIM = new URL("../../test/security/terminal-victim.ts", import.meta.url).pathname;
/** Nobody lives so long; whoever does is counted as never gone. */
const GIVE_UP_MS = 20_000;

/** Milliseconds from the end until nothing ran, of each round; `Infinity` for what survived. */
export async function measureSurvivors(end: End, rounds: number): Promise<readonly number[]> {
  const ground = makeGround();
  const samples: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) samples.push(await ROUNDS[end](ground));
  } finally {
    ground.remove();
  }
  return samples;
}

const ROUNDS: Readonly<Record<End, (ground: Ground) => Promise<number>>> = {
  cancel: afterCancel,
  timeout: afterTimeout,
  "kill -9 of the server": afterKill,
};

async function afterCancel(ground: Ground): Promise<number> {
  const attacker = attackerIn(ground.workspace, sandboxHere());
  const word = wordOf("971111");
  const abort = new AbortController();
  const called = attacker
    .run(`${escapees(word)}; sleep ${word}`, { signal: abort.signal })
    .catch(() => "cancelled");
  await until(() => running(word).length > LEFT_BEHIND);
  const start = performance.now();
  abort.abort(new Error("cancelled"));
  const gone = await goneAfter(word, start);
  await called;
  await attacker.sessions.close();
  return gone;
}

async function afterTimeout(ground: Ground): Promise<number> {
  const attacker = attackerIn(ground.workspace, sandboxHere());
  const word = wordOf("972222");
  // The moment at which the time was over, not when a busy machine came to it in the end.
  let over = Number.NaN;
  const clock: Clock = {
    ...systemClock,
    after: (ms, callback) =>
      systemClock.after(ms, () => {
        over = performance.now();
        callback();
      }),
  };
  // The session keeps the clock that it was begun with.
  await attacker.run(escapees(word), { clock });
  const called = attacker.run(`sleep ${word}`, { timeoutS: 1 });
  await until(() => !Number.isNaN(over));
  const gone = await goneAfter(word, over);
  await called;
  await attacker.sessions.close();
  return gone;
}

async function afterKill(ground: Ground): Promise<number> {
  const word = wordOf("973333");
  const argv = [process.execPath, VICTIM, ground.workspace, escapees(word), "walled"] as const;
  const server = await nodeProcesses.start({ argv, env: { PATH: process.env["PATH"] ?? "" } });
  let said = "";
  server.onOutput(1, (bytes) => (said += new TextDecoder().decode(bytes)));
  await until(() => said.includes("ready"));
  const start = performance.now();
  process.kill(server.pid, "SIGKILL");
  const gone = await goneAfter(word, start);
  await server.exited;
  return gone;
}

/** Rejects when it does not come. */
async function until(condition: () => boolean): Promise<void> {
  const late = performance.now() + GIVE_UP_MS;
  while (!condition()) {
    if (performance.now() > late) throw new Error("What was to be ended did not begin.");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function goneAfter(word: string, start: number): Promise<number> {
  while (running(word).length > 0) {
    if (performance.now() - start > GIVE_UP_MS) return Infinity;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return performance.now() - start;
}
