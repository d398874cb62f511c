// "Did you mean …?": the nearest of the known names, or nothing when none is near.

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + same,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (before[column - 2] as number) + 1);
      }
      current.push(best);
    }
    before = last;
    last = current;
  }
  return last[b.length] as number;
}

/** Comparing longer words would cost time for nothing. */
const LONGEST_WORD = 100;

/**
 * The known name nearest to `word`.
 * Contract: never throws; `null` when none is within a third of its letters (at least 2) of it.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > LONGEST_WORD) return null;
  const wanted = word.toLowerCase().replaceAll("-", "_");
  let best: { readonly name: string; readonly distance: number } | null = null;
  for (const name of known) {
    if (name.length > LONGEST_WORD) continue;
    const distance = editDistance(wanted, name.toLowerCase().replaceAll("-", "_"));
    const near = distance <= Math.max(2, Math.floor(name.length / 3)) && distance < name.length;
    if (near && (best === null || distance < best.distance)) best = { name, distance };
  }
  return best?.name ?? null;
}

/** ` Did you mean x?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const name = nearest(word, known);
  return name === null ? "" : ` Did you mean ${name}?`;
}
