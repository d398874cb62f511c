// File name patterns: `*`, `?` and `**`, matched in time proportional to pattern × path, whatever a model writes.
// No braces, classes or negation: small models do not need them, and each is a way to be slow.

/** One part of a path against one part of a pattern, greedy with one point to go back to. */
function partMatches(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let starFrom = 0;
  while (from < text.length) {
    const letter = pattern[at];
    if (letter === "*") {
      star = at++;
      starFrom = from;
    } else if (letter !== undefined && (letter === "?" || letter === text[from])) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++starFrom;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

function pathMatches(pattern: readonly string[], path: readonly string[]): boolean {
  // reachable[i]: the pattern so far can stand for the first i parts of the path.
  let reachable = Array.from({ length: path.length + 1 }, (_, index) => index === 0);
  for (const part of pattern) {
    const next = reachable.map(() => false);
    for (let index = 0; index <= path.length; index++) {
      if (part === "**") next[index] = reachable[index] === true || (index > 0 && next[index - 1] === true);
      else if (index > 0)
        next[index] = reachable[index - 1] === true && partMatches(part, path[index - 1] as string);
    }
    reachable = next;
  }
  return reachable.at(-1) === true;
}

/**
 * Whether a path relative to the workspace (with `/`) fits the pattern. A pattern without `/` is for the file's
 * name alone, in any folder. Contract: never throws.
 */
export function globMatches(pattern: string, path: string): boolean {
  const parts = path.split("/");
  const wanted = pattern.replace(/^\.?\//, "");
  if (!wanted.includes("/") && wanted !== "**") return partMatches(wanted, parts.at(-1) as string);
  return pathMatches(wanted.split("/"), parts);
}
