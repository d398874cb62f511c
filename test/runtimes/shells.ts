// A shell behind walls on every runtime: processes with channels of their own, their input kept open, their groups killed.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../src/base/errors.ts";

/** Nothing of the machine: where it has no walls, every runtime says so. */
export async function shells(): Promise<unknown> {
  try {
    await rm(await mkdtemp(join(tmpdir(), "troupe-smoke-")), { recursive: true });
  } catch (thrown) {
    return `no folder for a workspace: ${messageOf(thrown)}`;
  }
  // They look at the machine as soon as they are loaded, which takes the right to start programs.
  const { makeGround, missing, sandboxHere } = await import("../sandbox/machine.ts");
  const { attackerIn } = await import("../security/terminal-ground.ts");
  if (missing !== null) return "no walls on this machine";
  const ground = makeGround();
  const sandbox = sandboxHere();
  const attacker = attackerIn(ground.workspace, sandbox);
  try {
    const first = await attacker.run("cd /tmp; export word=kept; echo über");
    const second = await attacker.run(`pwd; echo $word; head -c 3000000 /dev/zero | wc -c; cat; exit 3`);
    const late = await attacker.run("setsid sleep 600 & sleep 600", { timeoutS: 1 });
    const next = await attacker.run("echo word=$word");
    return [first, second, late, next].map(({ exit_code: code, output }) => ({ code, output }));
  } finally {
    await attacker.sessions.close();
    await sandbox.settle();
    ground.remove();
  }
}
