// What a rule says about a source that breaks it.

/** The rules by name; the positive controls of test/architecture.test.ts must reach every one of them. */
export const RULES = [
  "floors",
  "types_only",
  "outside",
  "owners",
  "builtins",
  "computed_import",
  "extension",
  "cycles",
  "reexport",
  "globals",
  "file_length",
  "function_length",
  "parameters",
  "names",
  "head_comment",
  "todo",
  "mirror",
  "allowance",
] as const;
export type Rule = (typeof RULES)[number];

export interface Violation {
  readonly rule: Rule;
  readonly path: string;
  /** 0 where the whole file is meant. */
  readonly line: number;
  readonly message: string;
}

export function describeViolation(violation: Violation): string {
  return `${violation.path}:${violation.line} [${violation.rule}] ${violation.message}`;
}
