// The chart for the README: one strip for each contender, coloured by the model that the GPU worked for, as long as the
// work took. Plain SVG text: no library, no script; readable on light and dark grounds.

import type { Timeline } from "./timeline.ts";

export interface ChartStrip {
  readonly name: string;
  readonly makespan_s: number;
  /** Loads of models, where they are worth telling. */
  readonly loads: number;
  readonly timeline: Timeline;
}

export interface ChartPanel {
  readonly title: string;
  readonly models: readonly string[];
  /** Shown in this order; the first is Troupe. */
  readonly strips: readonly ChartStrip[];
}

export interface Chart {
  readonly title: string;
  /** What was measured, on what, in a sentence. */
  readonly caption: string;
  readonly panels: readonly ChartPanel[];
}

const WIDTH = 880;
const LEFT = 120;
const RIGHT = 190;
const STRIP = 18;
const STEP = 26;
const PANEL_HEAD = 46;
const LEGEND = 150;
const COLOURS = ["#3b82f6", "#f59e0b", "#10b981", "#a855f7", "#ef4444", "#64748b"] as const;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .panel { font-weight: 600 }
  .quiet { fill: #59636e }
  .ours { font-weight: 600 }
  .track { fill: #818b98; fill-opacity: .16 }
  @media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .quiet { fill: #9198a1 } .track { fill-opacity: .28 } }
`;

/** Contract: pure; the same chart gives the same text. */
export function chartSvg({ title, caption, panels }: Chart): string {
  const parts: string[] = [];
  let y = 58;
  for (const panel of panels) {
    parts.push(panelSvg(panel, y));
    y += PANEL_HEAD + panel.strips.length * STEP;
  }
  const height = y + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    text({ x: 8, y: 24, words: title, kind: "title" }),
    text({ x: 8, y: 46, words: caption, kind: "quiet" }),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function panelSvg({ title, models, strips }: ChartPanel, top: number): string {
  const longest = Math.max(...strips.map((strip) => strip.makespan_s));
  const scale = (WIDTH - LEFT - RIGHT) / longest;
  const ours = strips[0]?.makespan_s ?? longest;
  const legend =
    models.length < 2
      ? []
      : models.map((model, at) => legendSvg(model, { left: WIDTH - (models.length - at) * LEGEND, at, top }));
  return [
    text({ x: 8, y: top + 22, words: title, kind: "panel" }),
    ...legend,
    ...strips.map((strip, at) => {
      const y = top + PANEL_HEAD - 10 + at * STEP;
      const kind = at === 0 ? "ours" : "";
      return [
        text({ x: 8, y: y + 14, words: strip.name, kind }),
        rect({ x: LEFT, y, width: strip.makespan_s * scale, kind: "track" }),
        ...strip.timeline.map(({ model, from_s: from, to_s: to }) =>
          rect({
            x: LEFT + from * scale,
            y,
            width: Math.max(0.5, (to - from) * scale),
            fill: colourOf(models, model),
          }),
        ),
        text({ x: LEFT + strip.makespan_s * scale + 8, y: y + 14, words: endOf(strip, ours), kind }),
      ].join("");
    }),
  ].join("\n");
}

function legendSvg(
  model: string,
  { left: x, at, top }: { readonly left: number; readonly at: number; readonly top: number },
): string {
  const swatch = `<rect x="${x}" y="${top + 11}" width="12" height="12" rx="2" fill="${colour(at)}"/>`;
  return swatch + text({ x: x + 18, y: top + 22, words: model, kind: "quiet" });
}

function endOf({ makespan_s: seconds, loads }: ChartStrip, ours: number): string {
  const minutes = seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`;
  const times = seconds === ours ? "" : ` · ${(seconds / ours).toFixed(1)}×`;
  return `${minutes}${times}${loads > 1 ? ` · ${loads} loads` : ""}`;
}

function colourOf(models: readonly string[], model: string): string {
  return colour(models.indexOf(model));
}

function colour(at: number): string {
  return COLOURS[at % COLOURS.length] as string;
}

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly kind?: string;
  readonly fill?: string;
}

function rect({ x, y, width, kind, fill }: Rect): string {
  const look = kind === undefined ? `fill="${fill}"` : `class="${kind}"`;
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${STRIP}" ${look}/>`;
}

function text({ x, y, words, kind }: { x: number; y: number; words: string; kind: string }): string {
  const look = kind === "" ? "" : ` class="${kind}"`;
  return `<text x="${x.toFixed(1)}" y="${y}"${look}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
