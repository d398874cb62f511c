// What models, files and servers write is not to be trusted with a terminal: an escape sequence could move the
// cursor, set the clipboard or repaint what was said before. Everything shown passes through here.
//
// V1. The result holds no control character but newline and tab, and nothing that turns the direction of text.

/** CSI; OSC, DCS and their like with their terminator, within one line; and the two-byte escapes. */
const SEQUENCES = new RegExp(
  [
    String.raw`(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]`,
    String.raw`(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)`,
    String.raw`\u001b[ -/]*[0-~]`,
  ].join("|"),
  "g",
);

/** Controls except tab and newline, the bidirectional overrides and isolates, and separators that break a line. */
const CONTROLS = new RegExp(
  String.raw`[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]`,
  "g",
);

/** The text without anything that a terminal would obey (keeps V1). Never throws. */
export function printable(text: string): string {
  return text.toWellFormed().replace(SEQUENCES, "").replace(CONTROLS, "");
}

/** The same on one line, cut to `width` characters with a mark. */
export function oneLine(text: string, width = Infinity): string {
  const flat = printable(text.replace(/\s+/g, " ")).trim();
  if (flat.length <= width) return flat;
  const characters = Array.from(flat);
  if (characters.length <= width) return flat;
  const kept = characters.slice(0, Math.max(0, width - 1)).join("");
  return `${kept.trimEnd()}…`;
}

/** JSON on one line whose strings hold no control character either: JSON itself only escapes those below space. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    CONTROLS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Columns that a character takes, near enough for the scripts in use: wide East Asian and emoji two, marks none. */
function columnsOfCharacter(character: string): number {
  if (/^\p{M}|^\u200d|^\ufe0f/u.test(character)) return 0;
  const code = character.codePointAt(0) as number;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

/** The beginning of a printable text that takes at most so many columns. */
export function fittingIn(text: string, columns: number): string {
  let left = columns;
  let end = 0;
  for (const character of text) {
    left -= columnsOfCharacter(character);
    if (left < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** Columns that a printable text takes on a terminal; a tab counts as one. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}
