// Where a text stands in another, in time that grows with their lengths together. The engine's own search takes length
// times length for a long pattern that nearly fits everywhere: minutes, in which the whole server stands still, for
// one edit of 4 MB that a model or a hostile file asks for. Pure.

/** Up to here the engine's own search is faster, and its worst case is milliseconds. */
const SHORT_CHARS = 64;

/** The first place of the pattern in the text at `from` or after; -1 for none. */
export type FindText = (text: string, from: number) => number;

/** Contract: pure; answers as `String.indexOf` does. `pattern` is not empty. */
export function finderOf(pattern: string): FindText {
  if (pattern.length <= SHORT_CHARS) return (text, from) => text.indexOf(pattern, from);
  const borders = bordersOf(pattern);
  return (text, from) => {
    let matched = 0;
    for (let at = from; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      while (matched > 0 && pattern.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
      if (pattern.charCodeAt(matched) === unit) matched += 1;
      if (matched === pattern.length) return at - matched + 1;
    }
    return -1;
  };
}

/** For each beginning of the pattern the longest other beginning that it ends with (Knuth, Morris and Pratt). */
function bordersOf(pattern: string): Uint32Array {
  const borders = new Uint32Array(pattern.length);
  for (let at = 1, length = 0; at < pattern.length; at += 1) {
    const unit = pattern.charCodeAt(at);
    while (length > 0 && pattern.charCodeAt(length) !== unit) length = borders[length - 1] ?? 0;
    if (pattern.charCodeAt(length) === unit) length += 1;
    borders[at] = length;
  }
  return borders;
}
