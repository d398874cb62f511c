#!/usr/bin/env node
// The command line: finds the command, reads its flags, runs it, and turns what it threw into an exit code. The one
// table of exit codes stands here (design.md §9).
//
// C1. The first Ctrl-C aborts the command's signal, the second ends the process with 130.
// C2. A command that threw has said why on stderr, once.

import { withSignal } from "../base/abort.ts";
import { systemClock } from "../base/clock.ts";
import { CancelledError, toTroupeError, type ErrorKind, type TroupeError } from "../base/errors.ts";
import { didYouMean } from "../config/suggest.ts";
import type { CommandSpec, Outcome } from "./command.ts";
import { COMMANDS, COMMON_FLAGS, RAW_COMMANDS } from "./command-table.ts";
import { parseFlags, usageError } from "./flags.ts";
import { commandHelp, generalHelp, groupHelp } from "./help.ts";
import { Printer } from "./printer.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { worldOf, type CliWorld } from "./world.ts";

export interface ExitCode {
  readonly code: number;
  readonly meaning: string;
  readonly outcomes: readonly Outcome[];
  readonly kinds: readonly ErrorKind[];
  /** Error codes that go before their kind. */
  readonly errors: readonly string[];
}

const INTERRUPTED = 130;

/** The one table: how a command ended → exit code. */
export const EXIT_CODES: readonly ExitCode[] = [
  { code: 0, meaning: "it worked; of a task: it is done", outcomes: ["ok"], kinds: [], errors: [] },
  {
    code: 1,
    meaning: "the task failed or was cancelled, or Troupe itself failed",
    outcomes: ["failed"],
    kinds: ["internal", "tool", "store"],
    errors: [],
  },
  {
    code: 2,
    meaning: "used wrongly: an unknown command or flag, or a request that cannot work",
    outcomes: [],
    kinds: ["invalid_request"],
    errors: [],
  },
  {
    code: 3,
    meaning: "the configuration or the machine must be mended first; doctor or db check found a problem",
    outcomes: ["problems"],
    kinds: ["config"],
    errors: ["unauthorized", "forbidden_host"],
  },
  {
    code: 4,
    meaning: "what was named does not exist, such as a task or a model",
    outcomes: [],
    kinds: ["not_found"],
    errors: [],
  },
  {
    code: 5,
    meaning: "its state refuses it, such as a task that has ended",
    outcomes: [],
    kinds: ["conflict"],
    errors: [],
  },
  { code: 6, meaning: "a limit was reached", outcomes: [], kinds: ["limit"], errors: [] },
  {
    code: 7,
    meaning: "no Troupe server answers, or a model server failed",
    outcomes: [],
    kinds: ["provider"],
    errors: ["server_unreachable"],
  },
  {
    code: 8,
    meaning: "the wait was over first; the task goes on",
    outcomes: ["unfinished"],
    kinds: [],
    errors: [],
  },
  {
    code: INTERRUPTED,
    meaning: "interrupted by Ctrl-C",
    outcomes: ["interrupted"],
    kinds: ["cancelled"],
    errors: [],
  },
];

/** Contract: never throws; every outcome and every kind of error is in the table. */
export function exitCodeOf(end: Outcome | TroupeError): number {
  const row =
    typeof end === "string"
      ? EXIT_CODES.find(({ outcomes }) => outcomes.includes(end))
      : (EXIT_CODES.find(({ errors }) => errors.includes(end.code)) ??
        EXIT_CODES.find(({ kinds }) => kinds.includes(end.kind)));
  return row?.code ?? 1;
}

/** What to type, where the error alone does not say it. */
function adviceFor(error: TroupeError, program: string): string | null {
  if (error.code === "server_unreachable") return `Start it with: npm start (or: ${program} serve)`;
  if (error.code === "unauthorized")
    return "Its token is another one: set TROUPE_TOKEN, or name the server with --url.";
  if (error.code === "usage") return `Type ${program} --help to see what there is.`;
  return null;
}

interface Found {
  readonly spec: CommandSpec;
  readonly args: readonly string[];
}

/** Contract: throws the usage error for an unknown command. */
function findCommand(args: readonly string[]): Found {
  const [first = "", second = ""] = args;
  // The longer name goes first: `keys` is a command and begins others.
  const double = COMMANDS.find(({ name }) => name === `${first} ${second}`);
  if (double) return { spec: double, args: args.slice(2) };
  const single = COMMANDS.find(({ name }) => name === first);
  if (single) return { spec: single, args: args.slice(1) };
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0) {
    const words = group.map(({ name }) => name.slice(first.length + 1));
    const got = second === "" ? "none" : JSON.stringify(second);
    throw usageError(
      `Expected a command after ${first}, got ${got}.${didYouMean(second, words)} There are: ${words.join(", ")}.`,
    );
  }
  const names = [...COMMANDS, ...RAW_COMMANDS].map(({ name }) => name.split(" ")[0] as string);
  throw usageError(`There is no command ${JSON.stringify(first)}.${didYouMean(first, [...new Set(names)])}`);
}

async function runCommand(args: readonly string[], world: CliWorld, printer: Printer): Promise<Outcome> {
  const { spec, args: rest } = findCommand(args);
  const { flags, words } = parseFlags(rest, [...spec.flags, ...COMMON_FLAGS]);
  if (flags.has("help")) {
    world.terminal.writeOut(`${commandHelp(spec, COMMON_FLAGS)}\n`);
    return "ok";
  }
  const { least, most } = spec.words;
  if (words.length < least || words.length > most) {
    const expected = least === most ? `${least}` : `${least} to ${most}`;
    const usage = `Usage: troupe ${spec.name}${spec.usage === undefined ? "" : ` ${spec.usage}`} [flags]`;
    throw usageError(`Expected ${expected} words after ${spec.name}, got ${words.length}. ${usage}`);
  }
  const command = await spec.load();
  const ending = command({ flags, words, printer, world });
  return spec.endsItself === true ? ending : withSignal(ending, world.signal);
}

/** The texts that need no command; `null` when there is one to run. */
function helpFor(args: readonly string[]): string | null {
  const [first, second] = args;
  if (first === "--version") return null;
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    return generalHelp([...COMMANDS, ...RAW_COMMANDS], EXIT_CODES);
  }
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0 && (second === "--help" || second === "-h")) return groupHelp(first, group);
  return null;
}

/** Whether errors are told as JSON; read before the flags are, which may be what is wrong. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes("--json");
}

/** Runs one command line. Contract: never throws; the exit code. */
export async function run(args: readonly string[], world: CliWorld): Promise<number> {
  const printer = new Printer(world.terminal, wantsJson(args));
  const help = helpFor(args);
  if (help !== null) {
    const asked = args.length > 0;
    world.terminal[asked ? "writeOut" : "writeErr"](`${help}\n`);
    return asked ? 0 : exitCodeOf(usageError(""));
  }
  try {
    const raw = RAW_COMMANDS.find(({ name }) => name === args[0]);
    if (raw) return await raw.run(args.slice(1), world);
    const words = args[0] === "--version" ? ["version", ...args.slice(1)] : args;
    return exitCodeOf(await runCommand(words, world, printer));
  } catch (thrown) {
    const error = toTroupeError(thrown);
    // Whoever pressed Ctrl-C knows it already.
    if (world.signal.aborted && error.kind === "cancelled") return INTERRUPTED;
    printer.failure(error, adviceFor(error, printer.program));
    return exitCodeOf(error);
  }
}

/** One command line with its Ctrl-C (keeps C1). Contract: never throws; calls `leave` when it was pressed twice. */
export async function runInterruptibly(
  args: readonly string[],
  terminal: Terminal,
  makeWorld: (terminal: Terminal, signal: AbortSignal) => CliWorld = worldOf,
): Promise<number> {
  const stop = new AbortController();
  const ignore = terminal.onInterrupt(() => {
    if (stop.signal.aborted) void terminal.leave(INTERRUPTED);
    else stop.abort(new CancelledError("Interrupted."));
  });
  try {
    return await run(args, makeWorld(terminal, stop.signal));
  } finally {
    ignore();
  }
}

if (import.meta.main) {
  const terminal = processTerminal(systemClock);
  await terminal.leave(await runInterruptibly(terminal.args, terminal));
}
