// What models, files and servers write is not to be trusted with a terminal: an escape sequence could move the
// cursor, set the clipboard or repaint what was said before. Everything shown passes through here.
//
// V1. The result holds no control character but newline and tab, and nothing that turns the direction of text.
// V2. The work grows with the text only: no pattern looks at the same part twice for many beginnings.

/** Ends at every control that begins another sequence too, so that each beginning has a part of its own (keeps V2). */
const STRING_BODY = String.raw`[^\u0007\u001b\u0090\u0098\u009b-\u009f\n]*`;

/** CSI; OSC, DCS and their like with their terminator, within one line; and the two-byte escapes. */
const SEQUENCES = new RegExp(
  [
    String.raw`(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]`,
    String.raw`(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])${STRING_BODY}(?:\u0007|\u001b\\|\u009c)`,
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

/** What stands for a character that must not reach a terminal: `␛` for escape, `‹U+202E›` where there is no picture. */
function markOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "␡" : `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

/** The text with a visible mark for everything that a terminal would obey, newline and tab aside. Never throws. */
export function marked(text: string): string {
  return text.toWellFormed().replace(CONTROLS, markOf);
}

/** Characters looked at for one that is shown; the rest may be blanks and sequences. */
const LOOKED_AT = 8;

/** The same on one line, cut to `width` characters with a mark. A long text is looked at where it begins only. */
export function oneLine(text: string, width = Infinity): string {
  const whole = text.trim();
  const most = 64 + width * LOOKED_AT;
  const isCut = whole.length > most;
  const flat = printable((isCut ? whole.slice(0, most) : whole).replace(/\s+/g, " ")).trim();
  if (!isCut && flat.length <= width) return flat;
  const characters = Array.from(flat);
  if (!isCut && characters.length <= width) return flat;
  const kept = characters.slice(0, Math.max(0, width - 1)).join("");
  return `${kept.trimEnd()}…`;
}

const BEGINNINGS = new RegExp(String.raw`[\u001b\u0090\u0098\u009b\u009d-\u009f]`);
const UNFINISHED = new RegExp(
  [
    String.raw`^(?:(?:\u001b\[|\u009b)[0-?]*[ -/]*`,
    String.raw`(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])${STRING_BODY}\u001b?`,
    String.raw`\u001b[ -/]*`,
    String.raw`[\ud800-\udbff])$`,
  ].join("|"),
);
/** A sequence longer than this is taken for text that is shown without its escape, so that no more is ever kept. */
const LONGEST_SEQUENCE = 4_096;

function beginningBefore(text: string, end: number): number {
  const least = Math.max(0, text.length - LONGEST_SEQUENCE);
  for (let at = end - 1; at >= least; at -= 1) if (BEGINNINGS.test(text.charAt(at))) return at;
  return -1;
}

/** Where a sequence begins that the next piece of the text may finish; the text's length where there is none. */
export function unfinishedAt(text: string): number {
  const last = beginningBefore(text, text.length);
  // An escape at the end may be half of the terminator of what began before it.
  const before = last === text.length - 1 ? beginningBefore(text, last) : -1;
  const candidates = [before, last, text.length - 1];
  return candidates.find((at) => at >= 0 && UNFINISHED.test(text.slice(at))) ?? text.length;
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
