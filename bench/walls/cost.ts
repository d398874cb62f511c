// What the walls cost a command: the same orders to the same kind of shell, with walls around it and without, so that
// nothing but the walls differs; and what it costs to open a session, beside a bare shell that is started.

import { nodeProcesses } from "../../src/base/process-node.ts";
import { makeGround, sandboxHere } from "../../test/sandbox/machine.ts";
import { attackerIn, type Attacker } from "../../test/security/terminal-ground.ts";
import { compare, type ContenderResult } from "../harness.ts";

/** Commands of one sample. */
const COMMANDS = 20;
const COMMAND = "/usr/bin/true";

export interface Cost {
  /** Milliseconds a command: a bare session, one with walls, and a shell that is started for each. */
  readonly commands: readonly ContenderResult[];
  /** Milliseconds until the first command has ended: a bare session, one with walls. */
  readonly openings: readonly ContenderResult[];
  /** Commands that did not end with 0. */
  readonly failures: number;
}

export async function measureCost(rounds: number): Promise<Cost> {
  const ground = makeGround();
  const walled = attackerIn(ground.workspace, sandboxHere());
  const bare = attackerIn(ground.workspace, sandboxHere({ unsafe: true }));
  let failures = 0;
  const ran = async (by: Attacker): Promise<void> => {
    const { exit_code: code } = await by.run(COMMAND);
    if (code !== 0) failures += 1;
  };
  const ofSession = (name: string, by: Attacker) => ({
    name,
    run: async () => {
      const start = performance.now();
      for (let at = 0; at < COMMANDS; at += 1) await ran(by);
      return (performance.now() - start) / COMMANDS;
    },
  });
  const started = {
    name: "bash -c for each",
    run: async () => {
      const start = performance.now();
      for (let at = 0; at < COMMANDS; at += 1) {
        const { code } = await nodeProcesses.run(["bash", "-c", COMMAND], { env: {}, maxBytes: 1_000 });
        if (code !== 0) failures += 1;
      }
      return (performance.now() - start) / COMMANDS;
    },
  };
  const opening = (name: string, by: Attacker) => ({
    name,
    run: async () => {
      await by.end();
      const start = performance.now();
      await ran(by);
      return performance.now() - start;
    },
  });
  try {
    const commands = await compare(
      [ofSession("bare session", bare), ofSession("session in walls", walled), started],
      { rounds },
    );
    const openings = await compare([opening("bare session", bare), opening("session in walls", walled)], {
      rounds,
    });
    return { commands, openings, failures };
  } finally {
    await Promise.all([walled.sessions.close(), bare.sessions.close()]);
    ground.remove();
  }
}
