// `top` where nobody looks at a screen: the box in plain text, once or again whenever it changed; with `--json` one
// object a line. Through a pipe there are no escape codes in it.

import { linkedAbort } from "../../base/abort.ts";
import type { TroupeApi } from "../../core/api.ts";
import type { Invocation, Outcome } from "../command.ts";
import { jsonLine } from "../printable.ts";
import type { Line } from "../printer.ts";
import { counted } from "../task-lines.ts";
import { laneLines } from "./lane-lines.ts";
import { LiveBox } from "./live-box.ts";
import { needsOf } from "./needs.ts";
import { headingLine, rowLine } from "./row-line.ts";
import { countStates, taskRows } from "./task-rows.ts";

export interface SnapshotOptions {
  readonly invocation: Invocation;
  readonly api: TroupeApi;
  readonly once: boolean;
  readonly rootId?: string;
}

/** Between two snapshots: a log of them is for reading. */
const REST_MS = 2_000;
/** Columns of a line where no screen has any. */
const PLAIN_COLUMNS = 160;
/** Tasks of one snapshot; the rest is counted. */
const MOST_ROWS = 1_000;

/** Contract: `ok` after one, `interrupted` at Ctrl-C; throws as `LiveBox.run` does. */
export async function printSnapshots({ invocation, api, once, rootId }: SnapshotOptions): Promise<Outcome> {
  const { world } = invocation;
  const link = linkedAbort(world.signal);
  let shown = "";
  let shownAt = -Infinity;
  const box = new LiveBox({
    api,
    clock: world.clock,
    ...(rootId !== undefined && { rootId }),
    onChange: () => {
      if (box.liveness.kind === "connecting" || link.signal.aborted) return;
      if (world.clock.monotonic() - shownAt < REST_MS) return;
      const state = jsonLine([box.nodes, box.liveness.kind]);
      if (state === shown) return;
      [shown, shownAt] = [state, world.clock.monotonic()];
      print(invocation, box);
      if (once) link.abort("shown");
    },
  });
  try {
    await box.run(link.signal);
  } finally {
    link.release();
  }
  return world.signal.aborted ? "interrupted" : "ok";
}

function print({ printer, world }: Invocation, box: LiveBox): void {
  const { nodes, gpus, status, liveness } = box;
  const needs = needsOf(box);
  printer.document({ time: world.clock.now(), live: liveness.kind === "live", nodes, gpus, status, needs });
  const columns = world.terminal.outIsTerminal ? world.terminal.columns() : PLAIN_COLUMNS;
  const rows = taskRows(nodes, { filter: "", folded: new Set() });
  const now = world.clock.now();
  const counts = countStates(nodes);
  const live = liveness.kind === "live" ? "live" : "no answer; as it was last";
  const lines: readonly Line[] = [
    `${new Date(now).toISOString()} ${live}: ${counts.active} at work, ${counts.waiting} wait, ${counts.ended} ended`,
    ...laneLines(gpus, { columns, rows: Infinity }),
    ...needs.map(({ text }) => `! ${text}`),
    headingLine(columns),
    ...rows.slice(0, MOST_ROWS).map((row) => rowLine(row, { columns, now, selected: false })),
    ...(rows.length > MOST_ROWS ? [`… ${counted(rows.length - MOST_ROWS, "more task")}`] : []),
    "",
  ];
  for (const line of lines) printer.data(line);
}
