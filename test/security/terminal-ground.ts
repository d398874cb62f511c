// What the attacks on the terminal are led with: its tools behind the walls of this machine, the same tools bare, and a
// look at what is left running.

import { readFileSync, readdirSync } from "node:fs";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";
import type { Sandbox } from "../../src/core/sandbox.ts";
import type { ToolContext } from "../../src/core/tool.ts";
import { TerminalSessions } from "../../src/toolsets/terminal-sessions.ts";
import { terminalToolset } from "../../src/toolsets/terminal.ts";
import { makeGround, sandboxHere, type Ground } from "../sandbox/machine.ts";
import { toolContext } from "../toolsets/tool-context.ts";

export interface CommandResult {
  readonly exit_code: number | null;
  readonly output: string;
  readonly truncated: boolean;
  readonly note?: string;
}

export interface Attacker {
  readonly sessions: TerminalSessions;
  run(command: string, rest?: Partial<ToolContext> & { readonly timeoutS?: number }): Promise<CommandResult>;
  /** The task ends. */
  end(): Promise<void>;
}

/** A task that has the terminal. */
export function attackerIn(workspace: string, sandbox: Sandbox): Attacker {
  const sessions = new TerminalSessions({ sandbox, random: systemRandom, maxOutputBytes: 65_536 });
  const toolset = terminalToolset({ sessions, timeoutMs: 300_000 });
  const terminal = toolset.tools("leaf").find(({ definition }) => definition.name === "terminal");
  return {
    sessions,
    run: async (command, { timeoutS, ...rest } = {}) => {
      const context = { ...toolContext(workspace), clock: systemClock, maxResultChars: 100_000, ...rest };
      const input = { command, ...(timeoutS !== undefined && { timeout_s: timeoutS }) };
      const outcome = await terminal?.run(input, context);
      if (outcome?.type !== "result") throw new Error("expected a result");
      return outcome.value as CommandResult;
    },
    end: async () => toolset.release?.("task_1"),
  };
}

/** A folder to attack from, by a task behind the walls and by one without them. */
export interface Field {
  readonly ground: Ground;
  readonly walled: Attacker;
  readonly bare: Attacker;
  readonly clear: () => Promise<void>;
}

export function makeField(): Field {
  const ground = makeGround();
  const walled = attackerIn(ground.workspace, sandboxHere());
  const bare = attackerIn(ground.workspace, sandboxHere({ unsafe: true }));
  const clear = async (): Promise<void> => {
    await Promise.all([walled.sessions.close(), bare.sessions.close()]);
    ground.remove();
  };
  return { ground, walled, bare, clear };
}

/** Processes of this machine that have the word among their arguments; what only waits to be buried has ended. */
export function running(word: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isRunning(pid, word));
}

function isRunning(pid: number, word: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.includes(word) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Ends what a control has left behind. */
export function bury(word: string): void {
  for (const pid of running(word)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

let words = 0;
/** A number that no other test has for its sleeps. */
export function wordOf(start: string): string {
  words += 1;
  return `${start}.${process.pid}${words}`;
}

/** What a command leaves behind that does all it can to get away. */
export const escapees = (word: string): string =>
  `sleep ${word} & setsid sleep ${word} & nohup sleep ${word} >/dev/null 2>&1 & (setsid sh -c 'sleep ${word} & sleep ${word}' &) ; ` +
  `(trap '' HUP TERM INT; exec setsid sleep ${word}) & until [ "$(pgrep -c sleep || echo 6)" -ge 6 ]; do sleep 0.05; done; echo begun`;
