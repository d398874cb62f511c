// The screen of `top` as lines: the box above, its lanes, what needs a person, the tasks, and what keys do. Pure: what is
// known and the room there is decide every line.
//
// F1. As many lines as there are rows, none wider than the screen.
// F2. What is shown while nobody answers says how old it is.

import type { TreeNode } from "../../core/api.ts";
import type { BoxStatus, GpuView } from "../../core/box-api.ts";
import { shortId } from "../connection.ts";
import { cutLine } from "../demo-words.ts";
import { columnsOf, marked } from "../printable.ts";
import type { Line, Span } from "../printer.ts";
import { age } from "../task-lines.ts";
import { laneLines } from "./lane-lines.ts";
import type { Need } from "./needs.ts";
import { helpLines } from "./panel-lines.ts";
import { headingLine, noteOf, rowLine, shownText, titleOf } from "./row-line.ts";
import { countStates, type TaskRow } from "./task-rows.ts";
import { selectedIndex, type Prompt, type TopState } from "./top-state.ts";

export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** Whether what is shown is so now. */
export type Liveness =
  | { readonly kind: "live" }
  | { readonly kind: "connecting" }
  /** Nobody answers; what is shown was so at `since`. */
  | { readonly kind: "lost"; readonly since: number; readonly why: string }
  /** A recording at one of its events. */
  | {
      readonly kind: "recording";
      readonly at: number;
      readonly of: number;
      /** Milliseconds since the epoch. */
      readonly time: number;
      /** What had happened last. */
      readonly what: string;
    };

export interface Scene {
  /** The server's address, or the file. */
  readonly where: string;
  readonly now: number;
  readonly live: Liveness;
  readonly nodes: readonly TreeNode[];
  readonly rows: readonly TaskRow[];
  readonly gpus: readonly GpuView[];
  readonly status: BoxStatus | null;
  readonly needs: readonly Need[];
  readonly state: TopState;
  /** The lines of the panel that covers the tasks; ignored where there is none. */
  readonly panel: readonly Line[];
}

const LEAST_ROWS = 3;
const MOST_LANES = 4;
const MOST_NEEDS = 2;

/** How many task rows, or lines of a panel, a screen has. */
export function bodyRows(scene: Pick<Scene, "gpus" | "needs" | "live">, room: Room): number {
  const { lanes, needs } = partsOf(scene, room);
  // The head, the heading or the panel's title, the selected task, and the keys.
  return Math.max(LEAST_ROWS, room.rows - 1 - lanes.length - needs.length - 1 - 2 - 1);
}

function partsOf({ gpus, needs, live }: Pick<Scene, "gpus" | "needs" | "live">, { columns, rows }: Room) {
  return {
    lanes:
      live.kind === "recording"
        ? sliderLines(live, columns)
        : laneLines(gpus, { columns, rows: Math.min(MOST_LANES, Math.floor(rows / 6)) }),
    needs: needLines(needs, { columns, rows: rows < 20 ? 1 : MOST_NEEDS }),
  };
}

/** Keeps F1. */
export function frameOf(scene: Scene, room: Room): readonly Line[] {
  const { columns, rows } = room;
  const { lanes, needs } = partsOf(scene, room);
  const body = bodyRows(scene, room);
  const covered = scene.state.panel !== "none";
  const lines: readonly Line[] = [
    headLine(scene, columns),
    ...lanes,
    ...needs,
    ...(covered ? panelLines(scene, body + 1, columns) : taskLines(scene, body, columns)),
    ...selectedLines(scene, columns),
    footLine(scene, columns),
  ];
  return fill(lines, rows);
}

function fill(lines: readonly Line[], rows: number): readonly Line[] {
  if (lines.length >= rows) return lines.slice(0, rows);
  return [...lines, ...Array.from({ length: rows - lines.length }, () => "")];
}

/** Keeps F2. */
function liveSpan(live: Liveness, now: number): Span {
  switch (live.kind) {
    case "live":
      return ["green", "● live"];
    case "connecting":
      return ["yellow", "○ connecting"];
    case "lost":
      return ["red", `✕ no answer, as of ${age(now - live.since)} ago, trying again`];
    case "recording":
      return ["yellow", `◆ recording ${live.at}/${live.of}`];
  }
}

/** Where in the recording it stands, and what had just happened there. */
function sliderLines(
  live: Extract<Liveness, { readonly kind: "recording" }>,
  columns: number,
): readonly Line[] {
  const { at, of, time, what } = live;
  const room = Math.max(1, columns - 2);
  const knob = of === 0 ? 0 : Math.round((at / of) * (room - 1));
  return [
    [
      ["dim", `├${"─".repeat(knob)}`],
      ["cyan", "●"],
      ["dim", `${"─".repeat(room - 1 - knob)}┤`],
    ],
    cutLine(
      [`${new Date(time).toISOString().slice(0, 19).replace("T", " ")} `, ["bold", shownText(what)]],
      columns,
    ),
  ];
}

function headLine({ where, live, now, nodes, status }: Scene, columns: number): Line {
  const counts = countStates(nodes);
  return cutLine(
    [
      ["bold", "troupe "],
      liveSpan(live, now),
      status?.simulated === true ? ["yellow", "  SIMULATED"] : "",
      status?.paused === true ? ["yellow", "  PAUSED"] : "",
      `  ${counts.active} at work, ${counts.waiting} wait, ${counts.ended} ended`,
      ["dim", `  ${shownText(where)}`],
    ],
    columns,
  );
}

function needLines(needs: readonly Need[], { columns, rows }: Room): readonly Line[] {
  return needs.slice(0, rows).map(({ text }, index): Line => {
    const hidden = needs.length - rows;
    const more = index === rows - 1 && hidden > 0 ? ` (and ${hidden} more)` : "";
    return cutLine([["red", "! "], text, more], columns);
  });
}

function taskLines(scene: Scene, body: number, columns: number): readonly Line[] {
  const { rows, state, live } = scene;
  // No time passes for what nobody tells of (keeps F2).
  const now = live.kind === "lost" ? live.since : scene.now;
  const at = selectedIndex(state, rows);
  const first = firstRow(at, { rows: rows.length, body });
  const shown = rows.slice(first, first + body);
  const lines = shown.map((row, index) => rowLine(row, { columns, now, selected: first + index === at }));
  const none =
    state.filter !== "" ? "No task fits the filter." : live.kind === "connecting" ? "…" : "No tasks yet.";
  return [headingLine(columns), ...fill(rows.length === 0 ? [[["dim", `  ${none}`]]] : lines, body)];
}

/** The window moves by whole pages, so that rows keep their places while the selection moves among them. */
export function firstRow(
  selected: number,
  { rows, body }: { readonly rows: number; readonly body: number },
): number {
  if (rows <= body || selected < 0) return 0;
  const step = Math.max(1, body - 1);
  return Math.min(Math.floor(selected / step) * step, rows - body);
}

function panelLines({ state, panel }: Scene, body: number, columns: number): readonly Line[] {
  const lines = state.panel === "help" ? helpLines() : panel;
  const most = Math.max(0, lines.length - body);
  const scroll = Math.min(state.scroll, most);
  const first = state.panel === "tail" ? most - scroll : scroll;
  return fill(
    lines.slice(first, first + body).map((line) => cutLine(line, columns)),
    body,
  );
}

/** What the rows have no room for. */
function selectedLines({ rows, state, live, now }: Scene, columns: number): readonly Line[] {
  const at = selectedIndex(state, rows);
  const row = rows[at];
  if (live.kind === "lost") {
    const why = cutLine([["red", shownText(live.why)]], columns);
    return [why, cutLine([["dim", `What is shown was so ${age(now - live.since)} ago.`]], columns)];
  }
  if (row === undefined) return ["", ""];
  const { node } = row;
  const place = rows.length > 1 ? `${at + 1}/${rows.length} ` : "";
  return [
    cutLine([["dim", `─ ${place}${shortId(node.taskId)} `], titleOf(node)], columns),
    cutLine([["dim", `  ${noteOf(node) || "nothing written yet"}`]], columns),
  ];
}

/** The last characters of a line that is typed stay in sight. */
function promptLine(prompt: Prompt, columns: number): Line {
  if (prompt.kind === "cancel") {
    const below = prompt.below === 0 ? "" : ` and the ${prompt.below} below it`;
    return cutLine([["yellow", `Cancel ${shortId(prompt.taskId)}${below}? `], "y/n"], columns);
  }
  const about = prompt.kind === "filter" ? "" : ` ${shortId(prompt.taskId)}`;
  const label = `${prompt.kind}${about}: `;
  let text = marked(prompt.text);
  const room = Math.max(1, columns - columnsOf(label) - 1);
  while (columnsOf(text) > room)
    text = Array.from(text)
      .slice(Math.max(1, columnsOf(text) - room))
      .join("");
  return cutLine([["cyan", label], `${text}█`], columns);
}

const KEYS = "↑↓ enter t tail s steer c cancel C subtree p pause r replay / filter ? help q";
const RECORDING_KEYS = "← → event, [ ] 25, g first, G last, ↑↓ enter, t transcript, / filter, q quit";

function footLine({ state, live }: Scene, columns: number): Line {
  if (state.prompt !== null) return promptLine(state.prompt, columns);
  if (state.notice !== null) return cutLine([["yellow", shownText(state.notice)]], columns);
  const filter = state.filter === "" ? "" : `[${marked(state.filter)}] `;
  const keys = live.kind === "recording" ? RECORDING_KEYS : KEYS;
  return cutLine(
    [
      ["cyan", filter],
      ["dim", keys],
    ],
    columns,
  );
}
