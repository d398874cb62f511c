// A small workload for tests: two models that do not fit together, unless told otherwise.

import { parseWorkload, type Workload } from "../../../bench/scheduler/workload.ts";

const SMALL = {
  name: "small",
  box: { gpus: [{ vram_gib: 10 }], np: 2 },
  models: [
    { name: "a", size_gib: 6, context_tokens: 4_000, kv_kib_per_token: 1, load_s: 5 },
    { name: "b", size_gib: 6, context_tokens: 4_000, kv_kib_per_token: 1, load_s: 3 },
  ],
  parents: { count: 2, children: 4 },
  children: {
    turns: { uniform: { min: 1, max: 4 } },
    start_tokens: { uniform: { min: 200, max: 600 } },
    tokens_per_turn: { uniform: { min: 20, max: 200 } },
    output_tokens: { uniform: { min: 5, max: 60 } },
    tool_s: { exponential: { mean: 2, max: 20 } },
  },
};

/** The same with these keys in place of its own. */
export function small(changes: Readonly<Record<string, unknown>>): Workload {
  return parseWorkload(JSON.stringify({ ...SMALL, ...changes }), "small.json");
}
