// Words of a command line into flags and positionals, strictly: what is not known is refused with "did you mean".
// Pure; it decides nothing about what the values mean beyond text, number and switch.

import { parseArgs } from "node:util";
import { InvalidRequestError } from "../base/errors.ts";
import { didYouMean } from "../config/suggest.ts";

export interface FlagSpec {
  readonly name: string;
  /** What stands for the value in the help; absent makes it a switch. */
  readonly value?: string;
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  readonly help: string;
}

/** Wrong use of the command line: exit code 2. */
export function usageError(message: string): InvalidRequestError {
  return new InvalidRequestError("usage", message);
}

export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  texts(name: string): readonly string[] | undefined {
    return this.#values.get(name);
  }

  /** Contract: throws the usage error for what is no number from `least` up. */
  number(name: string, least = 0): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (text.trim() !== "" && Number.isFinite(number) && number >= least) return number;
    throw usageError(`Expected --${name} to be a number from ${least} up, got ${JSON.stringify(text)}.`);
  }

  /** Contract: throws the usage error for what is no whole number within the bounds. */
  integer(name: string, bounds: { readonly least: number; readonly most: number }): number | undefined {
    const number = this.number(name, bounds.least);
    if (number === undefined || (Number.isInteger(number) && number <= bounds.most)) return number;
    throw usageError(
      `Expected --${name} to be a whole number from ${bounds.least} to ${bounds.most}, got ${number}.`,
    );
  }
}

export interface Parsed {
  readonly flags: Flags;
  readonly words: readonly string[];
}

interface Token {
  readonly kind: string;
  readonly name?: string;
  readonly rawName?: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** Contract: throws the usage error for an unknown flag, a value that is missing, and one that is too many. */
export function parseFlags(args: readonly string[], specs: readonly FlagSpec[]): Parsed {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const options = Object.fromEntries(
    specs.map((spec) => [
      spec.name,
      {
        type: spec.value === undefined ? ("boolean" as const) : ("string" as const),
        multiple: true,
        ...(spec.short !== undefined && { short: spec.short }),
      },
    ]),
  );
  // Not its own strictness: its messages name no near word.
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (const token of tokens as readonly Token[]) {
    if (token.kind === "positional") words.push(token.value as string);
    if (token.kind !== "option") continue;
    const spec = byName.get(token.name as string);
    if (spec === undefined) throw unknownFlag(token.rawName as string, specs);
    const given = values.get(spec.name) ?? [];
    if (given.length > 0 && spec.value !== undefined && spec.multiple !== true) {
      throw usageError(`Expected --${spec.name} once, got it twice.`);
    }
    values.set(spec.name, [...given, valueOf(token, spec)]);
  }
  return { flags: new Flags(values), words };
}

function valueOf(token: Token, spec: FlagSpec): string {
  if (spec.value === undefined) {
    if (token.value === undefined) return "";
    throw usageError(`Expected --${spec.name} without a value, got ${JSON.stringify(token.value)}.`);
  }
  const { value } = token;
  if (value === undefined)
    throw usageError(`Expected a value after --${spec.name}: --${spec.name} ${spec.value}`);
  // `--model --json` forgot the model; a value that does begin with a dash is written with an equals sign.
  if (token.inlineValue !== true && value.startsWith("-") && value !== "-") {
    throw usageError(
      `Expected a value after --${spec.name}, got the flag ${value}. ` +
        `If it is the value, write --${spec.name}=${value}`,
    );
  }
  return value;
}

function unknownFlag(raw: string, specs: readonly FlagSpec[]): InvalidRequestError {
  const near = didYouMean(
    raw.replace(/^-+/, ""),
    specs.map((spec) => spec.name),
  ).replace(/ mean (\S+)\?/, " mean --$1?");
  const known = near === "" ? ` Known: ${specs.map((spec) => `--${spec.name}`).join(", ")}.` : near;
  return usageError(`There is no flag ${raw} here.${known}`);
}
