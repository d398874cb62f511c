// The person's side: where text goes, where it comes from, and Ctrl-C. The only file of the CLI that touches the
// process and its streams. It writes what it is given: what may be shown is decided by the printer.
//
// T1. One press of Ctrl-C is one interrupt, also where npm sends the signal on a second time.
// T2. After `leave` nothing runs: what was written has reached the system first.

import { basename, relative } from "node:path";
import system from "node:process";
import type { Clock } from "../base/clock.ts";
import type { Environment } from "../config/load.ts";
import { openScreen, plainConversation, type Conversation } from "./conversation.ts";

/** Both sides of a person's terminal. */
export interface ScreenStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

export interface Terminal {
  /** What was typed after the program's name. */
  readonly args: readonly string[];
  /** How a person starts this program here: `troupe`, `npx troupe` or `node …`. */
  readonly program: string;
  readonly env: Environment;
  readonly cwd: string;
  /** `linux`, `darwin`, `win32`, as Node names them. */
  readonly platform: string;
  readonly runtime: { readonly name: string; readonly version: string };
  /** Whether a person reads stdout, reads stderr, types on stdin. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly inIsTerminal: boolean;
  /** Columns of stdout; 80 where it is no terminal. */
  columns(): number;
  rows(): number;
  writeOut(text: string): void;
  writeErr(text: string): void;
  /** Stdin, once. */
  input(): AsyncIterable<Uint8Array>;
  /** For a program that draws the whole screen; `null` where no person both types and reads, or the screen cannot. */
  screen(): ScreenStreams | null;
  /** Takes over stdin and stdout until it is closed. */
  converse(prompt: string): Conversation;
  /** Calls back at each interrupt; returns how to stop that. */
  onInterrupt(handler: () => void): () => void;
  /** Ends the process. */
  leave(exitCode: number): Promise<void>;
}

/** Two signals closer than this are one press: npm forwards the one that the terminal has already sent to all. */
const ONE_PRESS_MS = 150;
/** A terminal that closes ends its programs with SIGHUP; left alone, it would orphan what they delegated. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What a shell shows for a program whose reader went away (128 + SIGPIPE). */
const READER_GONE = 141;

function runtimeOf(versions: Readonly<Record<string, string | undefined>>): Terminal["runtime"] {
  const { bun, deno, node } = versions;
  if (bun !== undefined) return { name: "Bun", version: bun };
  if (deno !== undefined) return { name: "Deno", version: deno };
  return { name: "Node.js", version: node ?? "unknown" };
}

/** How each runtime runs a source. */
const STARTERS: Readonly<Record<string, string>> = { Bun: "bun", Deno: "deno run -A" };

/** Inside a checkout no `troupe` is on the PATH; npx finds the one of the package. */
export function programName(
  script: string | undefined,
  facts: Pick<Terminal, "env" | "cwd" | "runtime">,
): string {
  if (facts.env["npm_command"] !== undefined) return "npx troupe";
  if (script === undefined || basename(script) === "troupe") return "troupe";
  const near = relative(facts.cwd, script);
  return `${STARTERS[facts.runtime.name] ?? "node"} ${near.startsWith("..") ? script : near}`;
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

/** The terminal of this process. Make one, once. */
export function processTerminal(clock: Clock): Terminal {
  const handlers = new Set<() => void>();
  let last = -Infinity;
  let hungUp = false;
  const interrupt = (signal?: NodeJS.Signals): void => {
    if (signal === "SIGHUP") hungUp = true;
    const now = clock.monotonic();
    // Counted from the press that was heard, so that a key held down is heard again.
    if (now - last < ONE_PRESS_MS) return;
    last = now;
    for (const handler of handlers) handler();
  };
  const { stdin, stdout, stderr } = system;
  const runtime = runtimeOf(system.versions);
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // Writing to a terminal that was closed fails, and what was delegated is still to be called off.
      if (!hungUp) system.exit(error.code === "EPIPE" ? READER_GONE : 1);
    });
  }
  return {
    args: system.argv.slice(2),
    program: programName(system.argv[1], { env: system.env, cwd: system.cwd(), runtime }),
    env: system.env,
    cwd: system.cwd(),
    platform: system.platform,
    runtime,
    outIsTerminal: stdout.isTTY,
    errIsTerminal: stderr.isTTY,
    inIsTerminal: stdin.isTTY,
    columns: () => stdout.columns || 80,
    rows: () => stdout.rows || 24,
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    input: () => stdin,
    screen: () => {
      if (!stdin.isTTY || !stdout.isTTY || system.env["TERM"] === "dumb") return null;
      // What draws there reads it when it is loaded; its development build is slower and keeps marks of every frame.
      system.env["NODE_ENV"] ??= "production";
      return { input: stdin, output: stdout };
    },
    converse: (prompt) =>
      stdin.isTTY && stdout.isTTY
        ? openScreen({ input: stdin, output: stdout, prompt, onInterrupt: () => interrupt() })
        : plainConversation({ input: stdin, writeOut: (text) => void stdout.write(text) }),
    onInterrupt: (handler) => {
      if (handlers.size === 0) for (const signal of SIGNALS) system.on(signal, interrupt);
      handlers.add(handler);
      return () => {
        handlers.delete(handler);
        if (handlers.size === 0) for (const signal of SIGNALS) system.off(signal, interrupt);
      };
    },
    leave: async (exitCode) => {
      await Promise.all([written(stdout), written(stderr)]);
      system.exit(exitCode);
    },
  };
}
