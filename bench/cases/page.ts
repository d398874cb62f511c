// The dashboard's page over minutes: whether its memory stays flat while hundreds of agents write, and how late their words are
// on the screen.

import { pageHeap } from "../live/page-heap.ts";
import type { Bench } from "../report.ts";
import { percentile } from "../statistics.ts";

const AGENTS = 300;
const MINUTES = 10;
const MIB = 1_024 ** 2;

export const bench: Bench = {
  summary:
    "a tab of the dashboard for minutes: its heap, and how late words are (--minutes N; needs Chromium)",
  async run({ quick, minutes }) {
    const forMinutes = minutes ?? (quick ? 1 : MINUTES);
    const { samples, slope, lateness } = await pageHeap({ agents: AGENTS, minutes: forMinutes });
    const perTen = (perHour: number): number => perHour / 6 / MIB;
    const [first, last] = [samples[0], samples.at(-1)];
    return {
      name: "page",
      measured:
        `${AGENTS} agents that write 50 tokens a second in turns of 20 s; one tab that goes from a task to the GPUs to the list and ` +
        `again for ${forMinutes} min; its heap on the list after two collections, ${samples.length} times`,
      notMeasured: [
        "a GPU that draws: Chromium renders in software",
        "the memory of the browser beside the page's own heap",
        "the screen itself: a picture counts as shown in the task after its frame",
      ],
      claims: [
        {
          name: "MiB that the page's heap grows in ten minutes (a line through all samples)",
          value: perTen(slope.perHour),
          limit: 2,
          bound: "at_most",
        },
        {
          name: "ms from an agent's word to the picture with it, p95",
          value: lateness.length === 0 ? Number.NaN : percentile(lateness, 0.95),
          limit: 250,
          bound: "at_most",
        },
      ],
      checks: [
        {
          name: "there are samples to draw a line through",
          holds: samples.length >= 3,
          detail: `${samples.length}`,
        },
        {
          name: "the page showed words as they came",
          holds: lateness.length > 100,
          detail: `${lateness.length}`,
        },
      ],
      lines: [
        `heap ${((first?.heapBytes ?? 0) / MIB).toFixed(1)} MiB at first, ${((last?.heapBytes ?? 0) / MIB).toFixed(1)} at last; ` +
          `slope ${perTen(slope.perHour).toFixed(2)} ± ${perTen(slope.margin).toFixed(2)} MiB in ten minutes`,
        `elements ${first?.nodes} and ${last?.nodes}, listeners ${first?.listeners} and ${last?.listeners}`,
        `word to picture: median ${lateness.length === 0 ? "none" : percentile(lateness, 0.5).toFixed(0)} ms of ${lateness.length}`,
      ],
      figures: { samples, slope },
    };
  },
};
