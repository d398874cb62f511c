// What is wrong with a config, and where. All problems of a file are reported together, in the file's order.

import { ConfigError } from "../base/errors.ts";

export type ConfigPath = readonly (string | number)[];

export interface Problem {
  /** From 1; `null` where the problem has no place in the file. */
  readonly line: number | null;
  readonly column: number | null;
  /** `delegation.model`; empty for the whole file. */
  readonly key: string;
  /** What was expected, what was got, what to do. */
  readonly message: string;
}

/** `agents.writer.toolsets[0]`. */
export function keyName(path: ConfigPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

function oneLine(file: string, problem: Problem): string {
  const place = problem.line === null ? "" : `:${problem.line}:${problem.column ?? 1}`;
  return `${file}${place}: ${problem.message}`;
}

/** The one error for all problems of a file; `code` is `config_invalid`. */
export function problemsError(file: string, problems: readonly Problem[]): ConfigError {
  const sorted = problems.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  const lines = sorted.map((problem) => oneLine(file, problem));
  const message =
    lines.length === 1
      ? (lines[0] as string)
      : `The config has ${lines.length} problems:\n${lines.map((line) => `  ${line}`).join("\n")}`;
  return new ConfigError("config_invalid", message, { details: { file, problems: sorted } });
}
