// Which model the server worked for, and when: the stretches of one run, for the chart.

import type { History } from "./history.ts";

export interface Stretch {
  readonly model: string;
  /** Seconds from the start of the run. */
  readonly from_s: number;
  readonly to_s: number;
}

export type Timeline = readonly Stretch[];

/** A pause shorter than this does not interrupt a stretch. */
const JOINED_S = 1;

/** Contract: pure; the stretches of each model do not overlap, and all are in order of their beginning. */
export function timelineOf(history: History): Timeline {
  const stretches: { model: string; from_s: number; to_s: number }[] = [];
  const last = new Map<string, { to_s: number }>();
  const worked = history.attempts
    .flatMap(({ model, figures, endedAt }) =>
      figures === null || endedAt === null
        ? []
        : [{ model, from_s: (endedAt - figures.promptMs - figures.outputMs) / 1_000, to_s: endedAt / 1_000 }],
    )
    .toSorted((a, b) => a.from_s - b.from_s);
  for (const stretch of worked) {
    const before = last.get(stretch.model);
    if (before !== undefined && stretch.from_s <= before.to_s + JOINED_S) {
      before.to_s = Math.max(before.to_s, stretch.to_s);
      continue;
    }
    stretches.push(stretch);
    last.set(stretch.model, stretch);
  }
  return stretches;
}
