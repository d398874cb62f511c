// Where a task was and for how long, from its own events: each says the state and the phase that it left the task in. Pure.

/** @typedef {Pick<import("../../src/core/wire.ts").Wire<import("../../src/core/event.ts").StoredEvent>, "seq" | "state" | "phase" | "time" | "type">} TimedEvent */

/**
 * @typedef {object} Stay
 * @property {string} path A state of the machine `agent`: `running.generating`, `steering`, `done`.
 * @property {number} from Milliseconds since the epoch.
 * @property {number | null} to `null` while it lasts, and for the state that the task has ended in.
 */

/** @typedef {{ readonly ms: number, readonly visits: number }} Total */

/**
 * @typedef {object} TaskTimes
 * @property {readonly Stay[]} stays One after the other; two that follow each other are never of the same state.
 * @property {ReadonlyMap<string, Total>} totals By path, compound states among them; no time is spent in an end.
 * @property {{ readonly from: string, readonly to: string, readonly at: number, readonly cause: string } | null} last The last change, and
 *   the type of the first event after it.
 */

const ENDS = new Set(["done", "cancelled", "failed"]);

/**
 * The stays of one task.
 *
 * @param {readonly TimedEvent[]} events Of one task, in any order; those that come twice count once.
 * @param {number} now Milliseconds since the epoch; what lasts, lasts until then.
 * @returns {TaskTimes}
 */
export function timeInStates(events, now) {
  const inOrder = [...new Map(events.map((event) => [event.seq, event])).values()].toSorted(
    (a, b) => a.seq - b.seq,
  );
  /** @type {Stay[]} */
  const stays = [];
  /** @type {TaskTimes["last"]} */
  let last = null;
  for (const { state, phase, time, type } of inOrder) {
    const path = phase === null ? state : `${state}.${phase}`;
    const open = stays.at(-1);
    if (open?.path === path) continue;
    // A clock that was set back must not make a stay negative.
    const at = Math.max(time, open?.from ?? time);
    if (open) {
      stays[stays.length - 1] = { ...open, to: at };
      last = { from: open.path, to: path, at, cause: type };
    }
    stays.push({ path, from: at, to: null });
  }
  return { stays, totals: totalsOf(stays, now), last };
}

/**
 * @param {readonly Stay[]} stays
 * @param {number} now
 * @returns {ReadonlyMap<string, Total>}
 */
function totalsOf(stays, now) {
  /** @type {Map<string, Total>} */
  const totals = new Map();
  let outerBefore = "";
  for (const { path, from, to } of stays) {
    const ms = ENDS.has(path) ? 0 : Math.max(0, (to ?? now) - from);
    const outer = path.split(".")[0] ?? path;
    add(totals, path, { ms, visits: 1 });
    if (outer !== path) add(totals, outer, { ms, visits: outer === outerBefore ? 0 : 1 });
    outerBefore = outer;
  }
  return totals;
}

/**
 * @param {Map<string, Total>} totals
 * @param {string} path
 * @param {Total} more
 */
function add(totals, path, more) {
  const before = totals.get(path) ?? { ms: 0, visits: 0 };
  totals.set(path, { ms: before.ms + more.ms, visits: before.visits + more.visits });
}

/**
 * A length of time in a few characters: `0.4s`, `12s`, `3m 20s`, `2h 5m`, `3d 4h`.
 *
 * @param {number} ms
 */
export function shortTime(ms) {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1_000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}
