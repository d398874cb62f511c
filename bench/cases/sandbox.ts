// The terminal's walls: what they cost a command, how long anything outlives the end of its session, and what a child
// at its worst does to the server's answers to everybody else.

import { measureCost } from "../walls/cost.ts";
import { besiege } from "../walls/siege.ts";
import { ENDS, measureSurvivors } from "../walls/survivors.ts";
import { missing } from "../../test/sandbox/machine.ts";
import type { Bench, Check, Claim } from "../report.ts";
import { medianRatio, percentile, summarize } from "../statistics.ts";

const PARTS = ["cost", "survivors", "siege"] as const;
type Part = (typeof PARTS)[number];

interface Findings {
  readonly claims: readonly Claim[];
  readonly checks: readonly Check[];
  readonly lines: readonly string[];
  readonly figures: Readonly<Record<string, unknown>>;
}

const ms = (figure: number): string => `${figure.toFixed(2)} ms`;

async function cost(quick: boolean): Promise<Findings> {
  const { commands, openings, failures } = await measureCost(quick ? 10 : 40);
  const added = (commands[1]?.median ?? Number.NaN) - (commands[0]?.median ?? Number.NaN);
  return {
    claims: [{ name: "ms that walls add to a command, medians", value: added, limit: 25, bound: "at_most" }],
    checks: [{ name: "every command ended with 0", holds: failures === 0, detail: `${failures} did not` }],
    lines: [
      ...commands.map((each) => `a command, ${each.name}: median ${ms(each.median)}, p95 ${ms(each.p95)}`),
      ...openings.map(
        (each) => `the first one, ${each.name}: median ${ms(each.median)}, p95 ${ms(each.p95)}`,
      ),
    ],
    figures: { commands, openings },
  };
}

async function survivors(quick: boolean): Promise<Findings> {
  const rounds = quick ? 10 : 40;
  const found: { readonly end: string; readonly samples: readonly number[] }[] = [];
  for (const end of ENDS) found.push({ end, samples: await measureSurvivors(end, rounds) });
  return {
    claims: found.map(({ end, samples }) => ({
      name: `ms until nothing is left after ${end}, worst of ${rounds}`,
      value: percentile(samples, 1),
      limit: 100,
      bound: "at_most",
    })),
    checks: [{ name: "nothing survived", holds: found.every(({ samples }) => !samples.includes(Infinity)) }],
    lines: found.map(({ end, samples }) => {
      const { median, p95, max } = summarize(samples);
      return `after ${end}: median ${ms(median)}, p95 ${ms(p95)}, max ${ms(max)}`;
    }),
    figures: Object.fromEntries(found.map(({ end, samples }) => [end, samples])),
  };
}

async function siege(quick: boolean): Promise<Findings> {
  const options = { rounds: quick ? 1 : 5, windowMs: 3_000, rate: 100 };
  const { attacks, problems, terminal } = await besiege(options);
  const p99s = (windows: readonly (readonly number[])[]): readonly number[] =>
    windows.map((each) => percentile(each, 0.99));
  const line = (when: string, windows: readonly (readonly number[])[]): string =>
    `${when}: p50 ${ms(percentile(windows.flat(), 0.5))}, p99 ${ms(percentile(windows.flat(), 0.99))}, worst ${ms(percentile(windows.flat(), 1))}`;
  return {
    claims: attacks.map(({ attack, quiet, under }) => ({
      name: `p99 of an answer under ${attack} ÷ the quiet p99 of its round, median of ${options.rounds}`,
      value: medianRatio(p99s(under), p99s(quiet)),
      limit: 2,
      bound: "at_most",
    })),
    checks: [
      {
        name: "every attack was under way",
        holds: problems.length === 0,
        detail: problems.join("; ") || "all",
      },
    ],
    lines: [
      terminal,
      line(
        "in the quiet",
        attacks.flatMap(({ quiet }) => quiet),
      ),
      ...attacks.map(({ attack, under }) => line(`under ${attack}`, under)),
    ],
    figures: { attacks },
  };
}

const MEASURES: Readonly<Record<Part, (quick: boolean) => Promise<Findings>>> = { cost, survivors, siege };

export const bench: Bench = {
  summary:
    "the terminal's walls: a command's cost, survivors of a session's end, answers while a child does its worst",
  parts: PARTS,
  async run({ quick, part }) {
    const found: Findings[] = [];
    const missed: Check[] =
      missing === null ? [] : [{ name: "walls can be built here", holds: false, detail: missing }];
    const parts = missed.length > 0 ? [] : PARTS.filter((each) => part === null || part === each);
    for (const each of parts) found.push(await MEASURES[each](quick));
    return {
      name: "sandbox",
      measured:
        "20 commands in one session with and without walls; six processes that try to get away, until none is in /proc; " +
        "a server asked for 20 tasks 100 times a second, in windows of 3 s, quiet and under attack in turn",
      notMeasured: [
        "the disk: what a child writes to its workspace competes with the store for it",
        "a model server on the same cores",
        "a machine with more than these cores: attacks have fewer to fight for here",
      ],
      claims: found.flatMap(({ claims }) => claims),
      checks: [...missed, ...found.flatMap(({ checks }) => checks)],
      lines: found.flatMap(({ lines }) => lines),
      figures: Object.assign({}, ...found.map(({ figures }) => figures)) as Record<string, unknown>,
    };
  },
};
