// What a command is: how it is called, and what it gives back. The table of all of them is command-table.ts.

import type { Flags, FlagSpec } from "./flags.ts";
import type { Printer } from "./printer.ts";
import type { CliWorld } from "./world.ts";

/** How a command ended when it did not throw; `main.ts` says which exit code each has. */
export type Outcome = "ok" | "failed" | "unfinished" | "interrupted" | "problems";

export interface Invocation {
  readonly flags: Flags;
  /** What stands beside the flags, after the command's own words. */
  readonly words: readonly string[];
  readonly printer: Printer;
  readonly world: CliWorld;
}

/** Contract: throws TroupeErrors only. */
export type Command = (invocation: Invocation) => Promise<Outcome>;

export interface CommandSpec {
  /** One word, or two for a group: `tasks ls`. */
  readonly name: string;
  readonly summary: string;
  /** What stands after the name: `ID "message"`. */
  readonly usage?: string;
  /** Further lines of its help. */
  readonly details?: readonly string[];
  /** How many words it takes. */
  readonly words: { readonly least: number; readonly most: number };
  readonly flags: readonly FlagSpec[];
  /** Ends by itself after Ctrl-C, because something must be put in order first; others are left where they stand. */
  readonly endsItself?: boolean;
  /** Loads the module with the first use. */
  load(): Promise<Command>;
}

/** A command that reads its own arguments and knows its own exit codes. */
export interface RawCommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly usage?: string;
  readonly details?: readonly string[];
  run(args: readonly string[], world: CliWorld): Promise<number>;
}
