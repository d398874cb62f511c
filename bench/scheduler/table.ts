// The figures of a workload for a terminal: a line for each contender, medians over the seeds.

import { median } from "../statistics.ts";
import { against, medianOf, OURS } from "./comparison.ts";
import type { Cell, MatrixRow } from "./matrix.ts";
import type { Metrics } from "./metrics.ts";

interface Column {
  readonly title: string;
  readonly key: keyof Metrics;
  readonly show: (value: number) => string;
}

const seconds = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0));
const share = (value: number): string => value.toFixed(2);
const whole = (value: number): string => value.toFixed(0);

const COLUMNS: readonly Column[] = [
  { title: "makespan s", key: "makespan_s", show: seconds },
  { title: "÷ bound", key: "over_bound", show: share },
  { title: "parent s", key: "parent_mean_s", show: seconds },
  { title: "child s", key: "child_mean_s", show: seconds },
  { title: "question p95 s", key: "question_p95_s", show: seconds },
  { title: "loads", key: "swaps", show: whole },
  { title: "cache hit", key: "cache_hit", show: share },
  { title: "GPU busy", key: "gpu_busy", show: share },
  { title: "Jain", key: "jain", show: share },
  { title: "max wait s", key: "max_wait_s", show: seconds },
  { title: "wasted tokens", key: "wasted_tokens", show: whole },
  { title: "503", key: "refused", show: whole },
];

/** Columns that say nothing on this workload are left out. */
export function tableLines(row: MatrixRow): readonly string[] {
  const { workload, seeds, tasks, bounds } = row;
  const columns = COLUMNS.filter(({ key }) =>
    [...row.cells.values()].some((cells) => {
      const value = medianOf(cells, key);
      return value !== null && (value !== 0 || key === "makespan_s");
    }),
  );
  const bound = bounds.length === 0 ? null : median(bounds.map((each) => each.makespanMs)) / 1_000;
  const floor = bound === null ? "no lower bound" : `lower bound ${seconds(bound)} s`;
  const head = [`÷ ${OURS}`, ...columns.map(({ title }) => title)];
  const lines = [...row.cells].map(([name, cells]) => ({
    name,
    values: valuesOf(row, name, { cells, columns }),
  }));
  const widths = head.map((title, at) =>
    Math.max(title.length, ...lines.map(({ values }) => values[at]?.length ?? 0)),
  );
  const nameWidth = Math.max(...lines.map(({ name }) => name.length));
  const format = (name: string, values: readonly string[]): string =>
    `${name.padEnd(nameWidth)}  ${values.map((value, at) => value.padStart(widths[at] as number)).join("  ")}`;
  const noted = lines.map(
    ({ name, values }) => `${format(name, values)}${noteOf(row.cells.get(name) ?? [])}`,
  );
  return [
    "",
    `${workload.name}: ${workload.about}; up to ${tasks} tasks, ${seeds.length} seeds, ${floor}`,
    format("", head),
    ...noted,
  ];
}

function valuesOf(
  row: MatrixRow,
  name: string,
  { cells, columns }: { readonly cells: readonly Cell[]; readonly columns: readonly Column[] },
): readonly string[] {
  const ratio = against(row, name, "makespan_s");
  const own = columns.map(({ key, show }) => {
    const value = medianOf(cells, key);
    return value === null ? "–" : show(value);
  });
  return [ratio === null ? "–" : ratio.toFixed(2), ...own];
}

function noteOf(cells: readonly Cell[]): string {
  const stuck = cells.filter((cell) => cell.deadlocked).length;
  return stuck === 0 ? "" : `  deadlocked on ${stuck} of ${cells.length} seeds`;
}
