// One task as a line of the screen: what it is, where it is, how long, on which model, and why it waits or what it said
// last. Pure. What models wrote is shown with marks in place of what a terminal would obey.

import type { TreeNode } from "../../core/api.ts";
import { isTerminal } from "../../core/lifecycle.ts";
import { shortId } from "../connection.ts";
import { cut, cutLine, pad } from "../demo-words.ts";
import { marked } from "../printable.ts";
import { stateSpan, type Line, type Span } from "../printer.ts";
import { age } from "../task-lines.ts";
import type { TaskRow } from "./task-rows.ts";

export interface RowPlace {
  /** The width of the screen. */
  readonly columns: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly selected: boolean;
}

/** `waiting_children`, `waiting_slot #12`. */
const WORD_COLUMNS = 16;
const ID_COLUMNS = 17;
const AGE_COLUMNS = 4;
/** From here on a row has a part for why it waits or what it said last. */
const WIDE = 100;
/** Characters of a text that are looked at; it may be megabytes. */
const LOOKED_AT = 2_000;

/** The beginning of a text of others on one line, with marks for what is no text. */
export function shownText(text: string): string {
  return marked(text.slice(0, LOOKED_AT).replace(/\s+/g, " ")).trim();
}

/** Where a task is: its phase where it has one, else its state; with its place in a line. */
export function wordOf({
  state,
  phase,
  queuePosition,
}: Pick<TreeNode, "state" | "phase" | "queuePosition">): string {
  const word = phase ?? state;
  return queuePosition === null ? word : `${word} #${queuePosition}`;
}

/** How long it has been at it, or was. */
export function timeOf(node: Pick<TreeNode, "createdAt" | "startedAt" | "finishedAt">, now: number): string {
  return age((node.finishedAt ?? now) - (node.startedAt ?? node.createdAt));
}

/** What a task is for; a session has no goal of its own. */
export function titleOf({ kind, goal }: Pick<TreeNode, "kind" | "goal">): string {
  return kind === "session" ? "(session)" : shownText(goal);
}

/** Why it waits or has failed, else how far it is and what it said last. */
export function noteOf(node: TreeNode): string {
  if (node.waitsFor !== null) return `waits for ${shownText(node.waitsFor)}`;
  if (node.failure !== null) return shownText(`${node.failure.code}: ${node.failure.message}`);
  const { progress } = node;
  const done = isTerminal(node.state) ? null : (progress?.percent ?? null);
  const said = shownText(node.lastLine ?? "") || shownText(progress?.note ?? "");
  return [done === null ? "" : `${done} %`, said].filter(Boolean).join(" ");
}

/** Contract: never wider than the screen. */
export function rowLine(row: TaskRow, { columns, now, selected }: RowPlace): Line {
  const { node } = row;
  const fold = row.folded ? `+${row.below} ` : "";
  const isWide = columns >= WIDE;
  const modelColumns = isWide ? 20 : 12;
  const idColumns = ID_COLUMNS + (isWide ? 4 : 0);
  const title = `${fold}${titleOf(node)}`;
  const note = noteOf(node);
  const left = columns - 2 - idColumns - 1 - WORD_COLUMNS - 1 - AGE_COLUMNS - 1 - modelColumns - 1;
  const titleColumns = isWide ? Math.max(20, Math.floor(left * 0.45)) : left;
  const id = pad(cut(`${row.branch}${shortId(node.taskId)}`, idColumns), idColumns);
  const spans: readonly Span[] = [
    selected ? ["cyan", "▸ "] : "  ",
    selected ? ["bold", id] : id,
    " ",
    stateSpan(node.state, pad(cut(wordOf(node), WORD_COLUMNS), WORD_COLUMNS)),
    ` ${timeOf(node, now).padStart(AGE_COLUMNS)} `,
    ["dim", pad(cut(shownText(node.model.replace(/:latest$/, "")), modelColumns), modelColumns)],
    " ",
    pad(cut(title, titleColumns), titleColumns),
    ...(isWide ? ([" ", ["dim", note]] as const) : []),
  ];
  return cutLine(spans, columns);
}

/** The heading over the rows, as wide as they are. */
export function headingLine(columns: number): Line {
  const isWide = columns >= WIDE;
  const cells = [
    pad("  TASK", 2 + ID_COLUMNS + (isWide ? 4 : 0)),
    pad("WHERE", WORD_COLUMNS),
    "TIME".padStart(AGE_COLUMNS),
    pad("MODEL", isWide ? 20 : 12),
    "GOAL",
  ];
  return cutLine([["dim", cells.join(" ")]], columns);
}
