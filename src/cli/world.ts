// What a command may reach: the world of compose, the terminal, and the signal of the first Ctrl-C.

import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import { runtimeFetch } from "../base/fetch.ts";
import { systemRandom } from "../base/ids.ts";
import { pinnedHttp } from "../base/pinned-http.ts";
import { nodeProcesses } from "../base/process-node.ts";
import { ownAddresses, systemResolver } from "../base/resolver.ts";
import type { World } from "../compose.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

export interface CliWorld extends World {
  readonly terminal: Terminal;
  /** Aborts at the first Ctrl-C; the second one ends the process. */
  readonly signal: AbortSignal;
}

/** The machine's own clock, network and randomness around a terminal. */
export function worldOf(terminal: Terminal, signal: AbortSignal, clock: Clock = systemClock): CliWorld {
  return {
    clock,
    random: systemRandom,
    fetch: runtimeFetch(),
    web: { request: pinnedHttp(), resolve: systemResolver(), ownAddresses },
    env: terminal.env,
    cwd: terminal.cwd,
    processes: nodeProcesses,
    writeLog: (line) => terminal.writeErr(`${printable(line)}\n`),
    terminal,
    signal,
  };
}
