// The credential pool against other rules for several keys: the same agents on the same simulated cloud endpoint, on a
// virtual clock (W9). It counts what a person pays for: time, and requests that could not have worked.
//
// It does not measure: a real cloud, hints in headers and bodies (their tests do), prompt caches of accounts, money.

import type { Bench, BenchReport, Check, Claim } from "../report.ts";
import { KEY_CONTENDERS } from "../keys/key-contenders.ts";
import { playKeys, type KeyOutcome } from "../keys/key-match.ts";
import { readKeyWorkload, type KeyWorkload } from "../keys/key-workload.ts";
import { median, medianRatio } from "../statistics.ts";

const SEEDS = 8;
const QUICK_SEEDS = 2;
const W9 = new URL("../workloads/keys/w9-key-outages.yaml", import.meta.url);

type Outcomes = ReadonlyMap<string, readonly KeyOutcome[]>;

export const bench: Bench = {
  summary: "Troupe's credential pool beside other rules, on keys of which several do not work (W9)",
  async run({ quick, workload: file, seed, seeds }) {
    const workload = readKeyWorkload(file ?? W9);
    const count = seeds ?? (seed !== null ? 1 : quick ? QUICK_SEEDS : SEEDS);
    const outcomes = new Map<string, KeyOutcome[]>();
    for (const contender of KEY_CONTENDERS) {
      const own: KeyOutcome[] = [];
      for (let at = 0; at < count; at += 1) {
        own.push(await playKeys(workload, contender, (seed ?? workload.seed) + at));
      }
      outcomes.set(contender.name, own);
    }
    return report(workload, outcomes);
  },
};

function report(workload: KeyWorkload, outcomes: Outcomes): BenchReport {
  const ours = outcomes.get("troupe") ?? [];
  const middle = (
    of: readonly KeyOutcome[],
    key: "makespan_s" | "agent_mean_s" | "refused" | "refused_again",
  ) => median(of.map((outcome) => outcome[key]));
  const claims = [...outcomes].flatMap(([name, theirs]): Claim[] => {
    if (name === "troupe") return [];
    const value = medianRatio(
      theirs.map((outcome) => outcome.makespan_s),
      ours.map((outcome) => outcome.makespan_s),
    );
    return [{ name: `${workload.name}: makespan, ${name} ÷ Troupe`, value, limit: 0.95, bound: "at_least" }];
  });
  const lines = [...outcomes].map(([name, own]) => {
    const makespan = `makespan ${middle(own, "makespan_s").toFixed(0)} s, mean of an agent ${middle(own, "agent_mean_s").toFixed(0)} s`;
    const refused = `${middle(own, "refused")} refused, ${middle(own, "refused_again")} of them with keys that were known not to work`;
    return `${name.padEnd(13)} ${makespan}; ${refused}`;
  });
  return {
    name: "keys",
    measured: `${workload.about}; medians of ${ours.length} seeds`,
    notMeasured: [
      "a real cloud; how hints are read from headers and bodies (its tests do)",
      "the peers' own programs: their rules are written anew here, and ask again for as long as it takes",
    ],
    checks: [...outcomes].map(([name, own]): Check => {
      const found = own.flatMap((outcome) => outcome.problems);
      const turns = own.reduce((sum, outcome) => sum + outcome.turns, 0);
      return {
        name: `${name}: every turn was served once, nothing is held`,
        holds: found.length === 0,
        detail: found[0] ?? `${turns} turns`,
      };
    }),
    claims: [
      ...claims,
      {
        name: `${workload.name}: requests with keys that were known not to work, by Troupe`,
        value: middle(ours, "refused_again"),
        limit: 2,
        bound: "at_most",
      },
    ],
    lines,
    figures: { workload, contenders: Object.fromEntries(outcomes) },
  };
}
