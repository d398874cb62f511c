// Which profile a backend is to load, and which it is to let go for it. A swap costs seconds and every prompt cache of
// the model that goes, so what is loaded stays while it has work, and goes when it has none; nobody waits for ever
// all the same (scheduling.md §6.3, ADR 0019). It reads the state and changes nothing.
//
// A1. At most one load or unload at a time on a backend (G4).
// A2. A profile is unloaded, or loaded over, only while none of its turns is under way (G6).
// A3. A profile in use is swapped out only for turns that have waited BOUND swaps, once it has been there for STAY
//     swaps, or every half minute for a person. So a turn waits BOUND swaps, and a swap for each other profile before it.
// A4. What was stopped for a person's turn comes to an end: its profile stays for `stayMs` once it is back, whoever waits,
//     or until what was stopped there is done. So nobody waits longer than that and A3 allow.

import { fit, nextTrial, swapMs } from "./residence.ts";
import type { Ask, Backend, Lane, TaskEntry } from "./state.ts";

/** A turn waits for its model no longer than so many swaps while another one is in use. */
export const BOUND_SWAPS = 60;
/** A model in use stays for so many swaps at least: what swapping costs is at most one part of these. */
export const STAY_SWAPS = 12;
/** How often a person's turn may swap a model out that is in use. */
export const FORCE_EVERY_MS = 30_000;
/** A model that was swapped out so works at least so long when it is back, and twice as long for each stop (P4). */
export const FORCED_STAY_MS = FORCE_EVERY_MS / 2;
/** Doubled no more often: 17 hours. */
const STOPS_MOST = 12;

export type Plan =
  | { readonly type: "keep"; readonly wakeAt: number }
  | { readonly type: "load" | "unload"; readonly lane: Lane }
  /** `unload` is false where nobody knows whether all fit: they rest, and the server lets go whom it must. */
  | {
      readonly type: "drain";
      readonly lane: Lane;
      readonly victims: readonly Lane[];
      readonly unload: boolean;
      readonly forced: boolean;
    }
  /** Nobody wants any more what others drained for. */
  | { readonly type: "reopen" };

/** The next thing to do on this backend; `keep` when there is nothing before `wakeAt`. */
export function plan(backend: Backend, now: number): Plan {
  const lanes = [...backend.lanes.values()].filter(({ residence }) => residence !== null);
  const isUnderWay = lanes.some(
    ({ residence }) => residence?.state === "loading" || residence?.state === "unloading",
  );
  if (isUnderWay) return { type: "keep", wakeAt: Infinity }; // keeps A1
  const { making } = backend.housing;
  if (making !== null && !isWanted(making.lane, now)) return { type: "reopen" };
  const draining = lanes.filter(({ residence }) => residence?.state === "draining");
  if (draining.length > 0) return planDraining(backend, draining);
  const residents = lanes.filter(({ residence }) => residence?.state === "resident");
  let wakeAt = Infinity;
  for (const lane of candidates(backend, lanes)) {
    const { retryAt = 0 } = lane.residence ?? {};
    const next = now < retryAt ? retryAt : planFor(lane, residents, now);
    if (typeof next !== "number") return next;
    wakeAt = Math.min(wakeAt, next);
  }
  return { type: "keep", wakeAt };
}

/** Who waits longest for a turn on this lane. */
export function oldestTurn({ turns }: Lane): Ask | null {
  for (const { ask } of turns) return ask;
  return null;
}

function planDraining({ housing: { making } }: Backend, draining: readonly Lane[]): Plan {
  if (making === null) return { type: "reopen" };
  const still = draining.filter(({ leases }) => leases.held === 0); // keeps A2
  const [first] = still;
  if (making.unload && first !== undefined) return { type: "unload", lane: first };
  if (!making.unload && still.length === draining.length) return { type: "load", lane: making.lane };
  return { type: "keep", wakeAt: Infinity };
}

function isWanted({ residence, turns }: Lane, now: number): boolean {
  return residence?.state === "absent" && !residence.passing && turns.size > 0 && now >= residence.retryAt;
}

/** Absent profiles that turns wait for: whom room was made for, then a person's, then who has waited longest. */
function candidates({ housing }: Backend, lanes: readonly Lane[]): readonly Lane[] {
  const rank = (lane: Lane): number => (housing.making?.lane === lane ? 0 : isPersonWaiting(lane) ? 1 : 2);
  return lanes
    .filter(({ residence, turns }) => residence?.state === "absent" && !residence.passing && turns.size > 0)
    .toSorted((a, b) => rank(a) - rank(b) || askedAt(a) - askedAt(b));
}

function askedAt(lane: Lane): number {
  return oldestTurn(lane)?.askedAt ?? Infinity;
}

function isPersonWaiting({ patient, impatient }: Lane): boolean {
  return patient.size + impatient.size > 0;
}

/** What is to be done for this profile now, or else when that may change. */
function planFor(lane: Lane, residents: readonly Lane[], now: number): Plan | number {
  const { backend } = lane;
  const fits = fit(backend, [...residents, lane], now);
  if (fits === true) return { type: "load", lane };
  const force = forceAt(lane);
  const overdue = askedAt(lane) + BOUND_SWAPS * swapMs(lane);
  const leaveAt = (each: Lane): number =>
    Math.min(quietAt(each), Math.max(overdue, stayUntil(each, lane), redoneAt(each)));
  const freeAt = (each: Lane): number =>
    Math.max(Math.min(leaveAt(each), Math.max(force, backAt(each))), each.residence?.retryAt ?? 0);
  const forced = (victims: readonly Lane[]): boolean => victims.some((each) => leaveAt(each) > now);
  if (fits === null) {
    const latest = Math.max(...residents.map(freeAt));
    if (latest > now) return latest;
    return { type: "drain", lane, victims: residents, unload: false, forced: forced(residents) };
  }
  const victims = choose(lane, { eligible: residents.filter((each) => freeAt(each) <= now), residents }, now);
  if (victims !== null) return { type: "drain", lane, victims, unload: true, forced: forced(victims) };
  return Math.min(...residents.map(freeAt).filter((at) => at > now), nextTrial(backend, now));
}

/** Idle ones first, and of those the ones that have been so longest, until the rest leaves room; `null` if it cannot. */
function choose(lane: Lane, { eligible, residents }: Choice, now: number): readonly Lane[] | null {
  const demand = ({ turns, leases, between }: Lane): number => turns.size + leases.held + between.size;
  const order = eligible.toSorted((a, b) => demand(a) - demand(b) || a.betweenSince - b.betweenSince);
  const leavesRoom = (gone: readonly Lane[]): boolean => {
    const rest = residents.filter((each) => !gone.includes(each));
    return fit(lane.backend, [...rest, lane], now) !== false;
  };
  const one = order.find((each) => leavesRoom([each]));
  if (one !== undefined) return [one];
  for (let count = 2; count <= order.length; count++) {
    if (leavesRoom(order.slice(0, count))) return order.slice(0, count);
  }
  return null;
}

interface Choice {
  readonly eligible: readonly Lane[];
  readonly residents: readonly Lane[];
}

/** When nothing is left to do on this lane: at once, or when a tool that runs has been given its time. */
function quietAt({ leases, turns, between, betweenSince, backend }: Lane): number {
  if (leases.held > 0 || turns.size > 0) return Infinity;
  return between.size === 0 ? -Infinity : betweenSince + backend.housing.lingerMs;
}

function stayUntil({ residence }: Lane, by: Lane): number {
  return (residence?.since ?? 0) + STAY_SWAPS * swapMs(by);
}

/** One that came back after it was forced out works for a while first, or a person who chats would stop it for ever. */
function backAt(lane: Lane): number {
  const { residence, backend } = lane;
  const since = residence?.since ?? 0;
  const { forcedAt } = backend.housing;
  const isBack = forcedAt > -Infinity && since > forcedAt;
  return Math.max(isBack ? since + FORCED_STAY_MS : -Infinity, redoneAt(lane));
}

/** When those whose turns were stopped here have had their time to do them again (A4). */
function redoneAt({ residence, stopped }: Lane): number {
  return stopped.size === 0 ? -Infinity : (residence?.since ?? 0) + stayMs(stopped);
}

/** How long a model stays for what was stopped there. */
export function stayMs(stopped: Iterable<TaskEntry>): number {
  const most = Math.max(0, ...Array.from(stopped, ({ stops }) => stops));
  return FORCED_STAY_MS * 2 ** Math.min(most, STOPS_MOST);
}

function forceAt(lane: Lane): number {
  return isPersonWaiting(lane) ? lane.backend.housing.forcedAt + FORCE_EVERY_MS : Infinity;
}
