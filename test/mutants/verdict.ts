// What a run of the simulation says of the mutant in it. Pure.

import { APPLIED } from "./mutant.ts";

export interface Ran {
  /** `null` when the process was ended because it ran too long. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Verdict =
  | { readonly kind: "caught"; readonly seed: number; readonly check: string }
  | { readonly kind: "survived" }
  /** Nothing was learnt: the simulation broke, hung, or never loaded the changed file. */
  | { readonly kind: "void"; readonly reason: string };

/** The exit codes of the simulation. */
const CLEAN = 0;
const VIOLATED = 1;

/** Contract: never throws. */
export function verdictOf(ran: Ran): Verdict {
  if (ran.code === null) return { kind: "void", reason: "it ran too long and was ended" };
  if (ran.code !== CLEAN && ran.code !== VIOLATED) {
    return { kind: "void", reason: `the simulation ended with code ${ran.code}: ${lastLine(ran)}` };
  }
  if (!ran.stderr.includes(APPLIED)) return { kind: "void", reason: "its file was never loaded" };
  if (ran.code === CLEAN) return { kind: "survived" };
  // A process that died of an error of its own ends with the same code, and names no seed.
  return failureIn(ran.stdout) ?? { kind: "void", reason: `it named no seed: ${lastLine(ran)}` };
}

/** The first failure of the report that the simulation prints with `--json`. */
function failureIn(stdout: string): Verdict | null {
  try {
    const report = JSON.parse(stdout) as { readonly failures: readonly Record<string, unknown>[] };
    const first = report.failures[0];
    if (typeof first?.["seed"] !== "number") return null;
    return {
      kind: "caught",
      seed: first["seed"],
      check: `${String(first["check"])}: ${String(first["complaint"])}`,
    };
  } catch {
    return null;
  }
}

function lastLine({ stdout, stderr }: Ran): string {
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => isTelling(line));
  return lines.at(-1)?.trim() ?? "it said nothing";
}

function isTelling(line: string): boolean {
  return line.trim() !== "" && !line.startsWith(APPLIED) && !line.startsWith("Node.js v");
}
