// A terminal that remembers, for tests of the demo, and the world around it: real clock, real sockets on loopback.

import { systemClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { seededRandom, systemRandom } from "../../src/base/ids.ts";
import { serve } from "../../src/base/listen.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import type { CliWorld } from "../../src/cli/world.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";
import { DEFAULT_MODELS } from "../../src/simulator/config.ts";

export interface Screen {
  readonly world: CliWorld;
  /** Everything written so far. */
  out(): string;
  err(): string;
  /** Presses Ctrl-C. */
  interrupt(): void;
}

export interface ScreenOptions {
  readonly isTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export function screen({ isTerminal = false, env = {} }: ScreenOptions = {}): Screen {
  let out = "";
  let err = "";
  const stop = new AbortController();
  const terminal = {
    env,
    cwd: "/",
    outIsTerminal: isTerminal,
    errIsTerminal: isTerminal,
    columns: () => 80,
    rows: () => 24,
    writeOut: (text: string) => void (out += text),
    writeErr: (text: string) => void (err += text),
  } as unknown as Terminal;
  const world: CliWorld = {
    clock: systemClock,
    random: systemRandom,
    fetch: runtimeFetch(),
    env,
    cwd: "/",
    writeLog: (line) => void (err += `${line}\n`),
    terminal,
    signal: stop.signal,
  };
  return { world, out: () => out, err: () => err, interrupt: () => stop.abort(new Error("Interrupted.")) };
}

/** A model server for `--ollama`: one slot, and fast enough for a test. */
export async function modelServer(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const speed = 10;
  const models = DEFAULT_MODELS.map((model) => ({
    ...model,
    loadMs: 10,
    prefillTokensPerS: 3_000 * speed,
    decodeTokensPerS: 60 * speed,
  }));
  const simulator = createSimulator({ clock: systemClock, random: seededRandom(1), config: { models, slots: 1 } });
  const listening = await serve((request) => simulator.app.fetch(request), { hostname: "127.0.0.1", port: 0 });
  return {
    url: listening.url,
    close: async () => {
      await listening.close();
      simulator.close();
    },
  };
}

/** What was written without the control sequences that colour it and move it. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "");
}
