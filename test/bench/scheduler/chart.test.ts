// The chart: well-formed, to scale, escaped, and the same text for the same figures.

import { describe, expect, it } from "vitest";
import { chartSvg, type Chart } from "../../../bench/scheduler/chart.ts";

const CHART: Chart = {
  title: "8 parents <one> & GPU",
  caption: "simulated",
  panels: [
    {
      title: "two models",
      models: ["a", "b"],
      strips: [
        { name: "troupe", makespan_s: 600, loads: 2, timeline: [{ model: "a", from_s: 0, to_s: 300 }] },
        { name: "direct", makespan_s: 1_200, loads: 9, timeline: [{ model: "b", from_s: 600, to_s: 1_200 }] },
      ],
    },
  ],
};

describe("chartSvg", () => {
  const svg = chartSvg(CHART);

  it("closes what it opens, and escapes words", () => {
    const open = svg.match(/<(?:svg|style|text)\b/g)?.length;
    expect(svg.match(/<\/(?:svg|style|text)>/g)).toHaveLength(open ?? -1);
    expect(svg).toContain("8 parents &#60;one&#62; &#38; GPU");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("draws strips to one scale, with length, ratio and loads at their ends", () => {
    const widths = [...svg.matchAll(/width="([\d.]+)" height="18" class="track"/g)].map(([, width]) =>
      Number(width),
    );
    expect(widths[1]).toBeCloseTo(2 * (widths[0] ?? 0), 1);
    expect(svg).toContain("10.0 min · 2 loads");
    expect(svg).toContain("20.0 min · 2.0× · 9 loads");
  });

  it("has colours of its own for dark grounds, no script and nothing from elsewhere", () => {
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg).not.toMatch(/<script|href=|url\(/);
    expect(chartSvg(CHART)).toBe(svg);
  });
});
