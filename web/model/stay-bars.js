// A task's stays as bars on an axis of time, and what each colour of them comes to. Pure.

/** @import { Stay } from "./task-times.js" */

/** @typedef {{ readonly path: string, readonly left: number, readonly width: number, readonly from: number, readonly to: number }} StayBar `left` and `width` in shares of the axis; `from` and `to` in milliseconds since the epoch. */

/** @typedef {{ readonly path: string, readonly ms: number, readonly share: number }} StayShare */

/** Narrower bars than this share are drawn as one with what stands before them. */
const LEAST = 1 / 500;

/**
 * The bars of an axis, oldest first, with no gap between them: what is too short to be seen goes to the bar before it, and so
 * there are never more than 500.
 *
 * @param {readonly Stay[]} stays One after the other, as `timeInStates` gives them.
 * @param {{ readonly from: number, readonly to: number }} axis Milliseconds since the epoch; what lasts, lasts until `to`.
 * @returns {readonly StayBar[]}
 */
export function stayBars(stays, { from, to }) {
  const length = to - from;
  if (length <= 0) return [];
  /** @type {StayBar[]} */
  const bars = [];
  for (const stay of stays) {
    const begin = Math.max(stay.from, from);
    const end = Math.min(stay.to ?? to, to);
    if (end <= begin) continue;
    const last = bars.at(-1);
    const width = (end - begin) / length;
    if (last && (width < LEAST || last.path === stay.path)) {
      bars[bars.length - 1] = { ...last, to: end, width: (end - last.from) / length };
    } else bars.push({ path: stay.path, from: begin, to: end, left: (begin - from) / length, width });
  }
  return bars;
}

/**
 * How much of its life a task was in each state, the most first.
 *
 * @param {readonly Stay[]} stays
 * @param {number} until What lasts, lasts until then.
 * @returns {readonly StayShare[]}
 */
export function stayShares(stays, until) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const { path, from, to } of stays) {
    const ms = Math.max(0, (to ?? until) - from);
    if (ms > 0) sums.set(path, (sums.get(path) ?? 0) + ms);
  }
  const all = [...sums.values()].reduce((sum, ms) => sum + ms, 0);
  return [...sums]
    .map(([path, ms]) => ({ path, ms, share: ms / all }))
    .toSorted((a, b) => b.ms - a.ms || (a.path < b.path ? -1 : 1));
}
