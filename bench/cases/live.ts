// Watching live: what it costs to tell many, what one that takes nothing does to the others, what it costs that actors
// could be inspected, and what viewers do to the server's event loop.

import { fanOut } from "../live/fan-out.ts";
import { stalled } from "../live/stalled.ts";
import { streaming } from "../live/streaming.ts";
import { unwatched } from "../live/unwatched.ts";
import type { Bench } from "../report.ts";
import type { ContenderResult } from "../harness.ts";

const lineOf = ({ name, median, p99, ratio }: ContenderResult): string =>
  `${name}: median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${ratio.toFixed(3)} x the first`;

const msOf = (figures: readonly number[]): string => figures.map((ms) => ms.toFixed(1)).join(", ");

export const bench: Bench = {
  summary:
    "WebSockets against ws alone, a client that is stalled, inspection that nobody watches, ten viewers",
  async run({ quick }) {
    const spread = await fanOut({ clients: 100, events: 5_000, rounds: quick ? 3 : 12 });
    const late = await stalled({ clients: 20, rounds: quick ? 2 : 5, forMs: quick ? 1_500 : 2_500 });
    const idle = await unwatched({ actors: 1_000, rounds: quick ? 12 : 60 });
    const shown = await streaming({
      agents: 300,
      viewers: 10,
      windows: quick ? 2 : 4,
      windowMs: quick ? 2_000 : 4_000,
    });
    const share = 1 / (spread[2]?.ratio ?? Number.NaN);
    return {
      name: "live",
      measured:
        "5,000 events to 100 clients; 200 events of 16 kB a second to 20 clients and one that reads nothing; lives of 1,000 actors; " +
        "300 agents that write 50 tokens a second in pieces of two, with ten viewers of 30 tasks each and ten of the machines",
      notMeasured: [
        "browsers, TLS and a network: clients are processes of this machine that share its cores with the server",
        "a store under load: in the first two the events are made up",
      ],
      claims: [
        {
          name: "events a second to 100 clients, share of raw ws with the same batches",
          value: share,
          limit: 0.7,
          bound: "at_least",
        },
        {
          name: "p99 of the others while one client takes nothing",
          value: late.results[1]?.ratio ?? Number.NaN,
          limit: 1.2,
          bound: "at_most",
        },
        {
          name: "actors that could be inspected, over actors that could not",
          value: idle[1]?.ratio ?? Number.NaN,
          limit: 1.03,
          bound: "at_most",
        },
        {
          name: "ms that ten viewers add to the event loop's p99 delay",
          value: shown.grewBy,
          limit: 10,
          bound: "at_most",
        },
      ],
      checks: [
        {
          name: "the stalled client was sent away each time",
          holds: late.sentAway > 0,
          detail: `${late.sentAway}`,
        },
        { name: "the viewers had messages", holds: shown.messages > 0, detail: `${shown.messages}` },
      ],
      lines: [
        ...spread.map(lineOf),
        ...late.results.map(lineOf),
        ...idle.map(lineOf),
        `event loop p99 without viewers: ${msOf(shown.without.map(({ delayMs }) => delayMs))} ms; with ten: ${msOf(shown.watched.map(({ delayMs }) => delayMs))} ms`,
        `p99 of its processor time between two beats of 5 ms: ${msOf(shown.without.map(({ workMs }) => workMs))} ms; with ten: ${msOf(shown.watched.map(({ workMs }) => workMs))} ms; more by ${shown.workGrewBy.toFixed(1)} ms`,
      ],
      figures: { spread, late, idle, shown },
    };
  },
};
