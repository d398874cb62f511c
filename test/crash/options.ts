// What the command line of the crash runs understands. Pure.

import type { StoredAs } from "./server-process.ts";

export interface Options {
  readonly loops: number;
  readonly seed: number;
  readonly durability: StoredAs;
  /** Houses at once. */
  readonly houses: number;
  /** Lives of one house. */
  readonly lives: number;
  readonly disk: boolean;
  readonly help: boolean;
}

export const USAGE = `Usage: npm run crash -- [options]
  --loops N             how many times a server is ended and started again (default 50)
  --seed N              the seed of the first house; each further house has the next (default 1)
  --durability WORD     full or normal (default full)
  --houses N            servers that live side by side, each on a home of its own (default 3)
  --lives N             loops of one house before it is left alone and looked at (default 10)
  --disk                the faults of disks instead: a full one, and a file that another process writes to`;

const NUMBERS = new Set(["--loops", "--seed", "--houses", "--lives"]);

/** The options, or what is wrong with them in words. */
export function parseOptions(args: readonly string[]): Options | string {
  const numbers = new Map<string, number>();
  let durability: StoredAs = "full";
  const switches = new Set<string>();
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (word === "--disk" || word === "--help") switches.add(word);
    else if (word === "--durability") {
      const value = args[++at];
      if (value !== "full" && value !== "normal") return `--durability is full or normal, got ${value}.`;
      durability = value;
    } else if (NUMBERS.has(word)) {
      const value = Number(args[++at]);
      const least = word === "--seed" ? 0 : 1;
      if (!Number.isSafeInteger(value) || value < least)
        return `${word} needs a whole number from ${least}, got ${args[at]}.`;
      numbers.set(word, value);
    } else return `Unknown option ${word}.`;
  }
  return {
    loops: numbers.get("--loops") ?? 50,
    seed: numbers.get("--seed") ?? 1,
    durability,
    houses: numbers.get("--houses") ?? 3,
    lives: numbers.get("--lives") ?? 10,
    disk: switches.has("--disk"),
    help: switches.has("--help"),
  };
}
