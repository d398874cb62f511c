// The exact replacement of a piece of text, as edit_file does it. Pure; it refuses to guess.

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
 * Contract: throws ToolError `no_match`, `many_matches` or `same_text`.
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
  // Not String.replace: a `$` in the new text means itself.
  return { text: text.split(old).join(fresh), count: places.length };
}

function placesOf(text: string, old: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(old); at >= 0; at = text.indexOf(old, at + old.length)) places.push(at);
  return places;
}

function lineAt(text: string, at: number): number {
  let line = 1;
  for (let end = text.indexOf("\n"); end >= 0 && end < at; end = text.indexOf("\n", end + 1)) line++;
  return line;
}

function noMatch(text: string, old: string): string {
  const first = old.split("\n").find((line) => line.trim() !== "");
  const at = first === undefined ? -1 : text.indexOf(first.trim());
  const near = at < 0 ? "" : ` Its first line, without the spaces around it, is at line ${lineAt(text, at)}.`;
  return `old_text is not in the file, to the letter.${near} Read the file and copy the text as it is there.`;
}
