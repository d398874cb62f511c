// The help texts, made from the tables: commands, flags, exit codes and platforms are never written twice.

import { VERSION } from "../version.ts";
import type { CommandSpec, RawCommandSpec } from "./command.ts";
import type { FlagSpec } from "./flags.ts";
import { RUNTIMES, SUPPORT } from "./support.ts";

/** One row of the table of exit codes, as people read it. */
export interface ExitCodeRow {
  readonly code: number;
  readonly meaning: string;
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function flagRow(flag: FlagSpec): readonly [string, string] {
  const short = flag.short === undefined ? "" : `-${flag.short}, `;
  return [`${short}--${flag.name}${flag.value === undefined ? "" : ` ${flag.value}`}`, flag.help];
}

/** The text of `troupe --help`. */
export function generalHelp(
  commands: readonly (CommandSpec | RawCommandSpec)[],
  exitCodes: readonly ExitCodeRow[],
): string {
  return [
    `troupe ${VERSION}: many AI subagents on a box with a few local GPUs, and a conversation that never waits`,
    "",
    "Usage: troupe COMMAND [flags]     troupe COMMAND --help says more about one",
    "",
    "Commands:",
    ...columns(commands.map((command) => [command.name, command.summary])),
    "",
    "Data goes to stdout and everything else to stderr. --json works with every command.",
    "The first Ctrl-C ends a command in order, the second at once.",
    "",
    "Environment:",
    ...columns([
      ["TROUPE_URL", "the server, instead of the config's host and port"],
      ["TROUPE_TOKEN", "its token, instead of the token file"],
      ["TROUPE_HOME", "the folder of the token, the config and the store (default: ~/.config/troupe)"],
      ["OLLAMA_HOST", "the Ollama, where the config names no provider (default: 127.0.0.1:11434)"],
      ["NO_COLOR", "no colours"],
    ]),
    "",
    "Exit codes:",
    ...columns(exitCodes.map(({ code, meaning }) => [String(code).padStart(3), meaning])),
    "",
    `Platforms (${RUNTIMES}):`,
    ...columns(SUPPORT.map(({ name, support }) => [name, support])),
  ].join("\n");
}

/** The text of `troupe COMMAND --help`. */
export function commandHelp(command: Omit<CommandSpec, "load">, common: readonly FlagSpec[]): string {
  const usage = command.usage === undefined ? "" : ` ${command.usage}`;
  return [
    `troupe ${command.name}: ${command.summary}`,
    "",
    `Usage: troupe ${command.name}${usage} [flags]`,
    ...(command.details === undefined ? [] : ["", ...command.details]),
    "",
    "Flags:",
    ...columns([...command.flags, ...common].map(flagRow)),
  ].join("\n");
}

/** The text of `troupe GROUP --help`: the commands that begin with this word. */
export function groupHelp(group: string, commands: readonly CommandSpec[]): string {
  return [
    `Usage: troupe ${group} COMMAND [flags]`,
    "",
    ...columns(
      commands.map(({ name, usage, summary }) => [
        `${name}${usage === undefined ? "" : ` ${usage}`}`,
        summary,
      ]),
    ),
  ].join("\n");
}
