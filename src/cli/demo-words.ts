// How the demo writes ids, times and lines: the same everywhere, so that what is said of a task can be found in the
// tree. Pure.

import { columnsOf } from "./printable.ts";
import type { Line, Span } from "./printer.ts";

const ID_DIGITS = 6;
const LONG_ID = /\b(task|ses)_([0-9a-f]{6})[0-9a-f]*/g;

/** `task_3f2a1c`: enough to tell tasks apart on a screen. */
export function shortId(id: string): string {
  return id.slice(0, id.indexOf("_") + 1 + ID_DIGITS);
}

/** The text with every id cut short. */
export function withShortIds(text: string): string {
  return text.replace(LONG_ID, "$1_$2");
}

/** `850 ms`, `12.4 s`. */
export function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`;
}

/** The longest beginning of a text that takes at most `width` columns. */
function headOf(text: string, width: number): string {
  let head = "";
  let columns = 0;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width) break;
    head += character;
  }
  return head;
}

/** The text in at most `width` columns, with a mark where it was cut. The text must be printable and of one line. */
export function cut(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  return width <= 0 ? "" : `${headOf(text, width - 1).trimEnd()}…`;
}

/** Spans in at most `width` columns together. */
export function cutLine(line: Line, width: number): Line {
  const spans = typeof line === "string" ? [line] : line;
  let left = width;
  const kept: Span[] = [];
  for (const span of spans) {
    const whole = typeof span === "string" ? span : span[1];
    const text = cut(whole, left);
    left -= columnsOf(text);
    if (text !== "") kept.push(typeof span === "string" ? text : [span[0], text]);
    // One mark says that it was cut.
    if (left <= 0 || text !== whole) break;
  }
  return kept;
}

/** Pads with spaces up to `width` columns. */
export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - columnsOf(text)));
}

/** Lines of at most `width` columns, broken at spaces where there are any. Keeps the text's own line breaks. */
export function wrap(text: string, width: number): readonly string[] {
  const room = Math.max(1, width);
  return text.split("\n").flatMap((line) => wrapLine(line.trimEnd(), room));
}

function wrapLine(line: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = line;
  while (columnsOf(rest) > width) {
    // A character that is wider than the room stands there all the same.
    const head = headOf(rest, width) || String.fromCodePoint(rest.codePointAt(0) as number);
    const space = rest[head.length] === " " ? head.length : head.lastIndexOf(" ");
    const end = space > 0 ? space : head.length;
    lines.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  }
  return rest === "" && lines.length > 0 ? lines : [...lines, rest];
}
