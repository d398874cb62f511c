// The GPU lanes as a strip of lines: how many generations each has room for, who holds them, who waits and why. Pure.

import type { GpuView, LaneView } from "../../core/box-api.ts";
import { shortId } from "../connection.ts";
import { cutLine } from "../demo-words.ts";
import type { Line, Span } from "../printer.ts";
import { age } from "../task-lines.ts";
import { shownText } from "./row-line.ts";

/** Slots that are drawn one by one; more are only counted. */
const MOST_DRAWN_SLOTS = 8;
/** Ids that are named for each lane. */
const MOST_NAMED = 3;

interface Lane {
  readonly gpu: string;
  readonly lane: LaneView;
}

/** Who is at work or waits comes first. */
function busyness({ lane }: Lane): number {
  return lane.waiting.length * 2 + lane.leases.length;
}

/** Contract: at most `rows` lines, none wider than `columns`; what is left out is counted in the last one. */
export function laneLines(
  gpus: readonly GpuView[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): readonly Line[] {
  const lanes = gpus.flatMap(({ gpu, backends }) => backends.map((lane): Lane => ({ gpu, lane })));
  if (rows <= 0 || lanes.length === 0) return [];
  if (lanes.length <= rows) return lanes.map((lane) => cutLine(spansOf(lane), columns));
  const busiest = lanes.toSorted((a, b) => busyness(b) - busyness(a)).slice(0, rows);
  // In the order in which they always stand, so that they keep their places.
  const shown = lanes.filter((lane) => busiest.includes(lane));
  const hidden = lanes.length - shown.length;
  return shown.map((lane, index) =>
    cutLine(
      index === rows - 1 ? [...spansOf(lane), ["dim", `  … ${hidden} more lanes`]] : spansOf(lane),
      columns,
    ),
  );
}

function spansOf({ gpu, lane }: Lane): readonly Span[] {
  const { leases, slots, waiting, residency, profile } = lane;
  const drawn = Math.min(slots, MOST_DRAWN_SLOTS);
  const held = Math.min(leases.length, drawn);
  const where = [gpu, lane.backend === gpu ? "" : lane.backend, profile]
    .filter(Boolean)
    .map(shownText)
    .join(" ");
  const holders = leases
    .slice(0, MOST_NAMED)
    .map(({ taskId, heldMs }) => `${shortId(taskId)} ${age(heldMs)}`);
  const more = leases.length - holders.length;
  return [
    ["bold", where],
    residency === null || residency === "resident" ? "" : ["yellow", ` ${residency}`],
    " ",
    ["cyan", "■".repeat(held)],
    ["dim", "·".repeat(drawn - held)],
    ` ${leases.length}/${slots}`,
    waiting.length === 0 ? "" : ["yellow", ` +${waiting.length} wait`],
    holders.length === 0 ? "" : ` ${holders.join(", ")}${more > 0 ? ` +${more}` : ""}`,
    ...waitingSpans(waiting),
  ];
}

function waitingSpans(waiting: LaneView["waiting"]): readonly Span[] {
  const [first] = waiting;
  if (first === undefined) return [];
  const { taskId, waitedMs, reason } = first;
  return [["yellow", "  next "], `${shortId(taskId)} ${age(waitedMs)}, ${shownText(reason)}`];
}
