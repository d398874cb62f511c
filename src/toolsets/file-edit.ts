// The exact replacement of a piece of text, as edit_file does it. Pure; it refuses to guess.

import { MAX_EDITED_BYTES } from "./file-refusals.ts";
import { finderOf } from "./find-text.ts";
import { refuse } from "./workspace.ts";

const MAX_LINES_SHOWN = 5;

export interface Replacement {
  readonly oldText: string;
  readonly newText: string;
  /** Every occurrence; only one is allowed otherwise. */
  readonly all: boolean;
}

export interface Replaced {
  readonly text: string;
  readonly count: number;
}

/**
 * The text after the replacement. In a text whose lines all end in CRLF, which read_file does not show, line ends of
 * the arguments mean CRLF.
 * Contract: throws ToolError `no_match`, `many_matches`, `same_text` or `too_large`.
 */
export function replaced(text: string, { oldText, newText, all }: Replacement): Replaced {
  const isCrlf = text.includes("\r\n") && !/(^|[^\r])\n/.test(text);
  const ends = (written: string): string => (isCrlf ? written.replace(/\r?\n/g, "\r\n") : written);
  const [old, fresh] = [ends(oldText), ends(newText)];
  if (old === fresh) throw refuse("same_text", "old_text and new_text are the same: nothing would change.");
  const places = placesOf(text, old);
  if (places.length === 0) throw refuse("no_match", noMatch(text, old));
  if (places.length > 1 && !all) {
    const lines = places.slice(0, MAX_LINES_SHOWN).map((at) => lineAt(text, at));
    const more = places.length > lines.length ? ", …" : "";
    throw refuse(
      "many_matches",
      `old_text is there ${places.length} times (lines ${lines.join(", ")}${more}). ` +
        "Add lines around it so that it is there once, or say all: true.",
    );
  }
  // Before it is built: a letter replaced by a page is gigabytes.
  const chars = text.length + places.length * (fresh.length - old.length);
  if (chars > MAX_EDITED_BYTES) {
    throw refuse(
      "too_large",
      `Expected a file of at most ${MAX_EDITED_BYTES} bytes, and it would have ${chars} after ${places.length} replacements.`,
    );
  }
  return { text: withEach(text, places, { old, fresh }), count: places.length };
}

function withEach(
  text: string,
  places: readonly number[],
  { old, fresh }: { readonly old: string; readonly fresh: string },
): string {
  let from = 0;
  let made = "";
  for (const at of places) {
    made += text.slice(from, at) + fresh;
    from = at + old.length;
  }
  return made + text.slice(from);
}

function placesOf(text: string, old: string): number[] {
  const places: number[] = [];
  const find = finderOf(old);
  for (let at = find(text, 0); at >= 0; at = find(text, at + old.length)) places.push(at);
  return places;
}

function lineAt(text: string, at: number): number {
  let line = 1;
  for (let end = text.indexOf("\n"); end >= 0 && end < at; end = text.indexOf("\n", end + 1)) line++;
  return line;
}

function noMatch(text: string, old: string): string {
  const first = old
    .split("\n")
    .find((line) => line.trim() !== "")
    ?.trim();
  const at = first === undefined ? -1 : finderOf(first)(text, 0);
  const near = at < 0 ? "" : ` Its first line, without the spaces around it, is at line ${lineAt(text, at)}.`;
  return `old_text is not in the file, to the letter.${near} Read the file and copy the text as it is there.`;
}
