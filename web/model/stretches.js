// The stretches of a task's life: how it looked from when on, no finer than a timeline can show. Pure.

/** @typedef {import("./words.js").Tone} Tone */

/**
 * @typedef {object} Stretch A while in which a task looked the same.
 * @property {number} from Milliseconds since the epoch.
 * @property {Tone} tone
 */

/** Stretches that are kept of a task, more than a timeline has room for; of more, the older half is joined in pairs. */
const MOST_STRETCHES = 64;

/**
 * No more than MOST_STRETCHES of them: a long life is told as a whole, and its beginning less finely.
 * @param {readonly Stretch[]} stretches
 * @returns {readonly Stretch[]}
 */
export function joined(stretches) {
  if (stretches.length <= MOST_STRETCHES) return stretches;
  const half = MOST_STRETCHES / 2;
  const old = stretches.slice(0, half).flatMap((stretch, at) => {
    const [next, end] = [stretches[at + 1], stretches[at + 2]];
    if (at % 2 === 1 || next === undefined || end === undefined) return [];
    const isShorter = next.from - stretch.from < end.from - next.from;
    return [{ from: stretch.from, tone: isShorter ? next.tone : stretch.tone }];
  });
  return [...old, ...stretches.slice(half)];
}
