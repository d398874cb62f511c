// What durability costs, and what it keeps: spawns, events and whole runs on a SQLite file, recovery of what a crash
// left, memory and disk. Rivals run in the same process and rounds, on databases with the same settings.

import type { Bench, BenchReport } from "../report.ts";
import { appendPart } from "../durability/append.ts";
import { diskPart } from "../durability/disk.ts";
import { memoryPart } from "../durability/memory.ts";
import type { Part } from "../durability/part.ts";
import { recoveryPart } from "../durability/recovery.ts";
import { runsPart } from "../durability/runs.ts";
import { spawnPart } from "../durability/spawn.ts";

const PARTS: Readonly<Record<string, (quick: boolean) => Promise<Part>>> = {
  spawn: spawnPart,
  append: appendPart,
  runs: runsPart,
  recovery: recoveryPart,
  memory: memoryPart,
  disk: diskPart,
};

export const bench: Bench = {
  summary: "the SQLite store: spawn, append, runs beside LangGraph, recovery, memory, growth of the file",
  parts: Object.keys(PARTS),
  async run({ quick, part }) {
    const parts: Part[] = [];
    for (const [name, run] of Object.entries(PARTS)) {
      if (part === null || part === name) parts.push(await run(quick));
    }
    return report(parts);
  },
};

function report(parts: readonly Part[]): BenchReport {
  return {
    name: "durability",
    measured: "a runtime over a SQLite file in the temporary folder, `normal` and `full`",
    notMeasured: ["a power loss", ...parts.flatMap(({ notMeasured }) => notMeasured)],
    claims: parts.flatMap(({ claims }) => claims),
    checks: parts.flatMap(({ checks }) => checks),
    lines: parts.flatMap(({ lines }) => lines),
    figures: Object.assign({}, ...parts.map(({ figures }) => figures)) as Readonly<Record<string, unknown>>,
  };
}
