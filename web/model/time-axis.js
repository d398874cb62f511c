// The axis of time beside the tree: how much of it is shown, and where a stretch lies on it. Pure.

import { isOver } from "./words.js";

/** @typedef {import("./item.js").Item} Item */
/** @typedef {import("./words.js").Tone} Tone */

/**
 * @typedef {object} Axis
 * @property {number} from
 * @property {number} to
 * @property {readonly { readonly at: number, readonly label: string }[]} ticks `at` in shares of the width.
 */

/** Windows that a person may choose, in minutes; 0 fits what is shown. */
export const WINDOWS = /** @type {const} */ ([0, 1, 5, 15, 60, 1440]);
/** @typedef {typeof WINDOWS[number]} Window */

const MINUTE = 60_000;
const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800,
];
/** What ended longer ago than this does not stretch an axis that fits. */
const LATELY_MS = 15 * MINUTE;

/**
 * @param {Iterable<Item>} items
 * @param {number} now
 * @param {Window} minutes
 * @returns {Axis}
 */
export function axisOf(items, now, minutes) {
  let from = now - minutes * MINUTE;
  let to = now;
  if (minutes === 0) {
    const all = [...items];
    const fresh = all.filter((item) => !isOver(item.state) || now - (item.finishedAt ?? 0) < LATELY_MS);
    const shown = fresh.length > 0 ? fresh : all;
    from = shown.reduce((least, item) => Math.min(least, item.createdAt), now - 10_000);
    // What has all ended is shown as it was, not shrinking for ever.
    if (shown.length > 0 && shown.every((item) => isOver(item.state))) {
      to = shown.reduce((most, item) => Math.max(most, item.finishedAt ?? item.createdAt), from + 10_000);
    }
  }
  const step = STEPS.find((seconds) => (to - from) / (seconds * 1000) <= 6) ?? 604_800;
  const ticks = [];
  for (let back = step; back * 1000 < to - from; back += step) {
    ticks.push({ at: 1 - (back * 1000) / (to - from), label: `−${brief(back)}` });
  }
  return { from, to, ticks };
}

/** @param {number} seconds */
function brief(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${seconds / 60} m`;
  return seconds < 86_400 ? `${seconds / 3600} h` : `${seconds / 86_400} d`;
}

/**
 * @typedef {object} Bar
 * @property {number} left In shares of the width.
 * @property {number} width
 * @property {Tone} tone
 */

/**
 * What of a task lies on the axis, oldest first; nothing narrower than a thousandth.
 * @param {Item} item
 * @param {Axis} axis
 * @param {number} now
 * @returns {readonly Bar[]}
 */
export function barsOf(item, axis, now) {
  const end = item.finishedAt ?? now;
  const length = axis.to - axis.from;
  /** @type {Bar[]} */
  const bars = [];
  for (const [at, { from, tone }] of item.stretches.entries()) {
    const until = Math.min(item.stretches[at + 1]?.from ?? end, axis.to);
    const begin = Math.max(from, axis.from);
    if (until < axis.from || begin > axis.to || (isEnd(tone) && at > 0)) continue;
    const left = (begin - axis.from) / length;
    const width = Math.max(0.001, (until - begin) / length);
    const last = bars.at(-1);
    if (last !== undefined && last.tone === tone && left - (last.left + last.width) < 0.001) {
      last.width = left + width - last.left;
    } else bars.push({ left, width, tone });
  }
  return bars;
}

/** @param {Tone} tone */
function isEnd(tone) {
  return tone === "done" || tone === "failed" || tone === "cancelled";
}
