// What the command line of the simulation understands. Pure.

export interface Options {
  readonly first: number;
  readonly seeds: number;
  readonly workers: number;
  readonly trace: boolean;
  readonly bail: boolean;
  readonly json: boolean;
  readonly checkDeterminism: boolean;
  /** Whether incarnations of the server end at all. */
  readonly endings: boolean;
  /** Who began this process, where it is to end with that one. */
  readonly parent: number | null;
  readonly help: boolean;
}

export const USAGE = `Usage: npm run sim -- [options]
  --seeds N             how many seeds to play (default 1000)
  --first N             the first of them (default 0)
  --seed N              that one alone
  --trace               print what happens in it, step by step
  --workers N           processes to play them in (default 2)
  --bail                stop at the first seed that fails
  --check-determinism   play each seed twice and compare the hashes of their logs
  --no-crashes          worlds in which the server neither crashes nor is closed
  --parent PID          stop between two seeds when the process that began this one is gone
  --json                one JSON document instead of lines`;

const NUMBERS = new Set(["--seeds", "--first", "--seed", "--workers", "--parent"]);
const SWITCHES = new Set([
  "--trace",
  "--bail",
  "--check-determinism",
  "--no-crashes",
  "--with-parent",
  "--json",
  "--help",
]);

/** The options, or what is wrong with them in words. */
export function parseOptions(args: readonly string[]): Options | string {
  const numbers = new Map<string, number>();
  const switches = new Set<string>();
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (SWITCHES.has(word)) switches.add(word);
    else if (NUMBERS.has(word)) {
      const value = Number(args[++at]);
      if (!Number.isSafeInteger(value) || value < 0)
        return `${word} needs a whole number from 0, got ${args[at]}.`;
      numbers.set(word, value);
    } else return `Unknown option ${word}.`;
  }
  const seed = numbers.get("--seed");
  const trace = switches.has("--trace");
  if (trace && seed === undefined) return "--trace needs --seed.";
  return {
    first: seed ?? numbers.get("--first") ?? 0,
    seeds: seed === undefined ? (numbers.get("--seeds") ?? 1_000) : 1,
    workers: seed === undefined ? (numbers.get("--workers") ?? 2) : 1,
    trace,
    bail: switches.has("--bail"),
    json: switches.has("--json"),
    checkDeterminism: switches.has("--check-determinism"),
    endings: !switches.has("--no-crashes"),
    parent: numbers.get("--parent") ?? null,
    help: switches.has("--help"),
  };
}
