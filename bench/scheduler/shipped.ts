// The workloads that ship, in the order of their names' numbers.

import { readdirSync } from "node:fs";
import { readWorkload, type Workload } from "./workload.ts";

const FOLDER = new URL("../workloads/", import.meta.url);

export function shippedWorkloads(): readonly Workload[] {
  const files = readdirSync(FOLDER).filter((file) => /\.(?:ya?ml|json)$/.test(file));
  const sorted = files.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return sorted.map((file) => readWorkload(new URL(file, FOLDER)));
}
