// What the demo shows, as lines: the conversation above, the tree and the slot below. Pure functions of what is known
// and of the room there is; nothing of a model is trusted to be one line, short, or free of control characters.

import type { TreeNode } from "../core/api.ts";
import { isTerminal } from "../core/lifecycle.ts";
import type { Entry } from "./demo-facts.ts";
import { cut, cutLine, duration, pad, shortId, withShortIds, wrap } from "./demo-words.ts";
import { oneLine, printable } from "./printable.ts";
import { stateSpan, type Line, type Span, type Style } from "./printer.ts";

export interface Room {
  readonly columns: number;
  readonly rows: number;
}

export interface Scene {
  /** Says what box it is, on every frame. */
  readonly title: string;
  readonly server: string;
  readonly elapsedMs: number;
  readonly entries: readonly Entry[];
  /** What stands in the person's input line. */
  readonly typed: string | null;
  /** The session; `null` before it is known. */
  readonly tree: TreeNode | null;
  /** Why the tree is only what was seen last; `null` while somebody tells. */
  readonly outage: string | null;
}

export const SCRIPTED_NOTE = "What the person (you) types is scripted; the rest is Troupe at work.";

const LABEL_COLUMNS = 8;
const WORDS_COLUMNS = 25;
/** Lines of one answer that are shown; the transcript has all of it. */
const MOST_ANSWER_LINES = 7;
/** With fewer rows, children take one line each. */
const ROWS_FOR_DETAIL = 20;
const LEAST_TALK_LINES = 3;

const LABELS: Readonly<Record<Entry["who"], Span>> = {
  person: ["cyan", pad("you", LABEL_COLUMNS)],
  parent: ["bold", pad("parent", LABEL_COLUMNS)],
  note: ["dim", pad("     ·", LABEL_COLUMNS)],
  crash: ["red", pad("kill -9", LABEL_COLUMNS)],
};

const STYLES: Readonly<Partial<Record<Entry["who"], Style>>> = { note: "dim", crash: "red" };

/** One entry, wrapped beside its label. */
export function entryLines(entry: Entry, columns: number): readonly Line[] {
  const text = printable(withShortIds(entry.text))
    .replace(/\t/g, " ")
    .replace(/\n{2,}/g, "\n")
    .trim();
  const wrapped = wrap(text, columns - LABEL_COLUMNS);
  const isCut = entry.who === "parent" && wrapped.length > MOST_ANSWER_LINES;
  // Of what is being written the end is news; of what was said, the beginning.
  const shown = !isCut
    ? wrapped
    : entry.done
      ? [...wrapped.slice(0, MOST_ANSWER_LINES - 1), "…"]
      : ["…", ...wrapped.slice(1 - MOST_ANSWER_LINES)];
  return shown.map((line, index): Line => {
    const label: Span = index === 0 ? LABELS[entry.who] : " ".repeat(LABEL_COLUMNS);
    const style = STYLES[entry.who];
    return [label, style === undefined ? line : [style, line]];
  });
}

/** `running waiting_slot #2`. */
function wordsOf(node: TreeNode): string {
  const position = node.queuePosition === null ? "" : ` #${node.queuePosition}`;
  return `${node.state}${node.phase === null ? "" : ` ${node.phase}`}${position}`;
}

function childLines(
  node: TreeNode,
  branch: string,
  room: { readonly columns: number; readonly detail: boolean },
) {
  const { columns, detail } = room;
  const id = pad(shortId(node.taskId), 12);
  const words = stateSpan(node.state, pad(wordsOf(node), WORDS_COLUMNS));
  const lines: Line[] = [cutLine([["dim", `${branch} `], id, words, " ", oneLine(node.goal)], columns)];
  if (!detail) return lines;
  const last = oneLine(node.lastLine ?? "");
  const below = branch.startsWith("└") ? " " : "│";
  const said = last || (isTerminal(node.state) ? "nothing left to say" : "nothing written yet");
  return [...lines, cutLine([["dim", `${below}     ${withShortIds(said)}`]], columns)];
}

/** The session and its children, as many lines as there is room for. */
export function treeLines(tree: TreeNode, room: Room): readonly Line[] {
  const detail = room.rows >= 1 + 2 * tree.children.length;
  const root: Line = cutLine(
    [
      ["bold", pad("parent", 15)],
      stateSpan(tree.state, pad(wordsOf(tree), WORDS_COLUMNS)),
      " ",
      oneLine(tree.model),
    ],
    room.columns,
  );
  const lines = tree.children.flatMap((node, index) =>
    childLines(node, index === tree.children.length - 1 ? "└─" : "├─", { columns: room.columns, detail }),
  );
  const all = [root, ...lines];
  if (all.length <= room.rows) return all;
  const hidden = all.length - room.rows + 1;
  return [...all.slice(0, Math.max(0, room.rows - 1)), [["dim", `… ${hidden} more lines`]]];
}

/** Who writes, and who stands in line. */
export function slotLine(tree: TreeNode, server: string, columns: number): Line {
  const nodes = [tree, ...tree.children];
  const name = (node: TreeNode): string => (node === tree ? "parent" : shortId(node.taskId));
  const writes = nodes.filter((node) => node.phase === "generating" || node.state === "steering");
  const inLine = nodes
    .filter((node) => node.phase === "waiting_slot" && node.queuePosition !== null)
    .toSorted((a, b) => (a.queuePosition ?? 0) - (b.queuePosition ?? 0));
  const now = writes.length > 0 ? `${writes.map(name).join(", ")} writes` : "free";
  const next = inLine.length > 0 ? `; in line: ${inLine.map(name).join(", ")}` : "";
  return cutLine([["yellow", `${server}: `], `${now}${next}`], columns);
}

function talkLines({ entries, typed, tree }: Scene, columns: number): readonly Line[] {
  const lines = entries.flatMap((entry) => entryLines(entry, columns));
  // A model that writes a call shows no text for a while.
  const isSilent = tree?.phase === "generating" && entries.every(({ who, done }) => who !== "parent" || done);
  if (isSilent) lines.push([LABELS.parent, ["dim", "…"]]);
  if (typed === null) return lines;
  return [...lines, ...entryLines({ who: "person", text: `${typed}_`, done: false, tree: false }, columns)];
}

/** One screen: exactly as many lines as there is room for, none wider than it. */
export function frameOf(scene: Scene, room: Room): readonly Line[] {
  const { columns, rows } = room;
  const rule: Line = [["dim", "─".repeat(columns)]];
  const time = duration(scene.elapsedMs);
  const title = pad(cut(printable(scene.title), columns - time.length - 1), columns - time.length);
  const head: Line[] = [[["yellow", title], time], cutLine([["dim", SCRIPTED_NOTE]], columns), rule];
  const treeRows = rows < ROWS_FOR_DETAIL ? 4 : Math.max(7, Math.floor(rows / 3));
  const foot: Line[] =
    scene.tree === null
      ? []
      : [
          rule,
          ...treeLines(scene.tree, { columns, rows: treeRows }),
          scene.outage === null
            ? slotLine(scene.tree, scene.server, columns)
            : cutLine([["red", scene.outage]], columns),
        ];
  const left = Math.max(LEAST_TALK_LINES, rows - head.length - foot.length);
  const talk = talkLines(scene, columns).slice(-left);
  const empty: Line[] = Array.from({ length: left - talk.length }, () => "");
  return [...head, ...talk, ...empty, ...foot].slice(0, rows);
}
