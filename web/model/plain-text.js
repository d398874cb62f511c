// Text of models and tools as text: what a screen would obey or hide is shown as a mark instead. Pure.
//
// X1. Every character of the text is shown, as itself or as a mark: nothing is taken out.
// X2. No mark is a control character, so that what was marked can neither move a cursor nor turn the direction of writing.

/**
 * @typedef {object} Piece
 * @property {string} text
 * @property {string | null} name What the character is, for a mark; `null` for text as it is.
 */

/** Controls but tab and newline, marks of direction, invisible spaces, separators of lines, lone surrogates. */
const MARKED =
  // oxlint-disable-next-line no-control-regex -- these are what it looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udc7f]/g;

/** @type {Readonly<Record<number, string>>} */
const NAMES = {
  0x00: "NUL",
  0x07: "BEL",
  0x08: "BS",
  0x0d: "CR",
  0x1b: "ESC",
  0x7f: "DEL",
  0x200e: "left-to-right mark",
  0x200f: "right-to-left mark",
  0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding",
  0x202c: "pop direction",
  0x202d: "left-to-right override",
  0x202e: "right-to-left override",
  0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate",
  0x2068: "first strong isolate",
  0x2069: "pop isolate",
};

/**
 * The text in pieces (keeps X1, X2).
 * @param {string} text
 * @returns {readonly Piece[]}
 */
export function plainPieces(text) {
  // Line ends of Windows are no returns to the beginning of the line.
  const source = text.replaceAll("\r\n", "\n");
  /** @type {Piece[]} */
  const pieces = [];
  let at = 0;
  for (const match of source.matchAll(MARKED)) {
    if (match.index > at) pieces.push({ text: source.slice(at, match.index), name: null });
    pieces.push(markOf(match[0].codePointAt(0) ?? 0));
    at = match.index + match[0].length;
  }
  if (at < source.length) pieces.push({ text: source.slice(at), name: null });
  return pieces;
}

/**
 * @param {number} code
 * @returns {Piece}
 */
function markOf(code) {
  const name = NAMES[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  // In letters that every font has: Unicode's own pictures of controls are in few.
  return { text: `[${name}]`, name };
}

/**
 * The text on one line, as it may stand in a title or a list.
 * @param {string} text
 * @param {number} [most] Characters that are kept.
 */
export function oneLine(text, most = 200) {
  const { head, rest } = clipped(text, most);
  const line = plainPieces(head)
    .map((piece) => piece.text)
    .join("")
    .replaceAll(/\s+/g, " ")
    .trim();
  return rest === 0 ? line : `${line}…`;
}

/**
 * The beginning of a text, never half a character.
 * @param {string} text
 * @param {number} most
 * @returns {{ readonly head: string, readonly rest: number }} `rest` counts the characters that are left out.
 */
export function clipped(text, most) {
  if (text.length <= most) return { head: text, rest: 0 };
  const code = text.charCodeAt(most - 1);
  const head = text.slice(0, code >= 0xd800 && code <= 0xdbff ? most - 1 : most);
  return { head, rest: text.length - head.length };
}
