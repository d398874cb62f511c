// What is learned of the profiles that a backend loads: where each stands, what it takes of time and memory, which
// have been seen side by side, and how long tools keep their tasks away. It decides nothing; affinity.ts does.
//
// R1. A lane is open for turns only while its profile is resident, or passing.
// R2. What was seen goes before what was foretold: a set of profiles that did not stay together never fits by sums.
// R3. Nor does it misfit for ever: after 10 min, doubling to 4 h, or when there is more memory, it is tried once more, while
//     the others rest, since the server may let one of them go again.

import type { ResidencyReport } from "./scheduler.ts";
import type { Backend, Housing, Lane, Residence } from "./state.ts";

/** Share of the memory that models may take together; Ollama evicts above it (scheduling.md, fact 12). */
const MEMORY_SHARE = 0.8;
/** A swap is taken to cost this much until one was seen. */
const SWAP_MS = 8_000;
/** Weight of the newest time among those before it. */
const NEWEST = 0.3;
/** How long profiles that did not fit together are left apart, and at most after many times. */
export const MISFIT_MS = 600_000;
const MISFIT_MOST_MS = 4 * 3_600_000;
const RETRY_MS = 5_000;
const RETRY_MOST_MS = 300_000;
const TOOL_TIMES = 32;
const TOOL_TIMES_LEAST = 8;
const TOOL_SHARE = 0.7;
const LINGER_LEAST_MS = 1_000;
const LINGER_MOST_MS = 15_000;

/** Keeps R1. */
export function shutUnlessLoaded({ residence, leases }: Lane): void {
  leases.shut = residence !== null && residence.state !== "resident" && !residence.passing;
}

/** Writes down what became of a managed lane's profile. */
export function note(lane: Lane, report: ResidencyReport, now: number): void {
  const { residence, backend } = lane;
  if (residence === null) return;
  const before = residence.state;
  residence.passing = report.passing ?? false;
  residence.sizeBytes = report.vramBytes ?? residence.sizeBytes;
  noteTime(residence, report);
  // Draining is decided here, and what is seen of it is only that it is still there.
  const isThere = report.state === "resident" || report.state === "draining";
  residence.state = isThere ? (before === "draining" ? "draining" : "resident") : report.state;
  if (isThere && before === "unloading") noteFailure(residence, now);
  if (isThere && (before === "absent" || before === "loading")) {
    residence.since = now;
    residence.failures = 0;
    if (before === "loading") noteTogether(backend);
  }
  if (report.state !== "absent") return;
  if (before === "loading") noteFailure(residence, now);
  if (before === "unloading") residence.failures = 0;
  if (before === "resident" || before === "draining") noteGone(lane, now);
}

/** What swapping to this lane costs: loading it, and unloading what is in its way. */
export function swapMs({ residence, backend }: Lane): number {
  const known = [...backend.lanes.values()].flatMap((each) => each.residence?.unloadMs ?? []);
  const unloadMs = known.length > 0 ? Math.max(...known) : 0;
  const loadMs = residence?.loadMs ?? null;
  return loadMs === null ? SWAP_MS : loadMs + unloadMs;
}

/** Whether these profiles can be loaded at the same time; `null` when only trying will tell. */
export function fit(backend: Backend, lanes: readonly Lane[], now: number): boolean | null {
  if (lanes.length <= 1) return true;
  const { fitting, misfits } = backend.housing;
  const names = new Set(lanes.map(({ profile }) => profile));
  const seen = misfits.filter((each) => each.names.isSubsetOf(names));
  if (seen.some(({ until }) => until > now)) return false; // keeps R2
  // One that could not be loaded beside others gets the memory for itself the next time.
  if (lanes.some(({ residence }) => (residence?.failures ?? 0) > 0)) return false;
  if (fitting.some((set) => names.isSubsetOf(set))) return true;
  if (seen.length > 0) return null; // keeps R3
  const vramBytes = backend.caps.residency?.vramBytes ?? null;
  if (vramBytes === null) return null;
  let sum = 0;
  for (const { residence } of lanes) {
    if (residence?.sizeBytes == null) return null;
    sum += residence.sizeBytes;
  }
  return sum <= MEMORY_SHARE * vramBytes;
}

/** When the next of those that did not fit may be tried together; `Infinity` when none waits for that. */
export function nextTrial({ housing }: Backend, now: number): number {
  return Math.min(Infinity, ...housing.misfits.map(({ until }) => until).filter((until) => until > now));
}

/** There is more memory than when they did not fit: they may be tried at once (R3). */
export function forgiveMisfits({ housing }: Backend): void {
  housing.misfits = housing.misfits.map((each) => ({ ...each, until: -Infinity }));
}

/** How long a task was away between two turns; what is loaded stays for most of them. */
export function noteToolTime(housing: Housing, tookMs: number): void {
  const { toolTimes } = housing;
  toolTimes.push(tookMs);
  if (toolTimes.length > TOOL_TIMES) toolTimes.shift();
  if (toolTimes.length < TOOL_TIMES_LEAST) return;
  const usual = toolTimes.toSorted((a, b) => a - b)[Math.floor(TOOL_SHARE * toolTimes.length)] as number;
  housing.lingerMs = Math.min(LINGER_MOST_MS, Math.max(LINGER_LEAST_MS, usual));
}

function noteTime(residence: Residence, { state, tookMs }: ResidencyReport): void {
  // A time that cannot be would have every bound of affinity.ts be none.
  if (tookMs === undefined || !Number.isFinite(tookMs) || tookMs < 0) return;
  if (state === "resident" && residence.state === "loading")
    residence.loadMs = smoothed(residence.loadMs, tookMs);
  if (state === "absent" && residence.state === "unloading")
    residence.unloadMs = smoothed(residence.unloadMs, tookMs);
}

function smoothed(before: number | null, newest: number): number {
  return before === null ? newest : before + NEWEST * (newest - before);
}

function noteFailure(residence: Residence, now: number): void {
  const delayMs = Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** Math.min(residence.failures, 16));
  residence.failures++;
  residence.retryAt = now + delayMs;
}

/** The load has ended well, and what else is there has stayed. */
function noteTogether({ lanes, housing }: Backend): void {
  const there = [...lanes.values()].filter(({ residence }) => isLoaded(residence));
  if (there.length < 2) return;
  const names = new Set(there.map(({ profile }) => profile));
  if (!housing.fitting.some((set) => names.isSubsetOf(set))) housing.fitting = [...housing.fitting, names];
  housing.misfits = housing.misfits.filter((each) => !each.names.isSubsetOf(names));
}

/** Gone without our doing: let go by the server for what is being loaded, or for reasons of its own. */
function noteGone(lane: Lane, now: number): void {
  const { lanes, housing } = lane.backend;
  housing.fitting = housing.fitting.filter((set) => !set.has(lane.profile));
  const loading = [...lanes.values()].find(({ residence }) => residence?.state === "loading");
  if (loading === undefined || !housing.beside.includes(lane)) return;
  const names = new Set([loading, ...housing.beside].map(({ profile }) => profile));
  const isSame = (each: Housing["misfits"][number]): boolean =>
    each.names.size === names.size && each.names.isSubsetOf(names);
  const times = (housing.misfits.find(isSame)?.times ?? 0) + 1;
  const until = now + Math.min(MISFIT_MOST_MS, MISFIT_MS * 2 ** (times - 1));
  housing.misfits = [...housing.misfits.filter((each) => !isSame(each)), { names, times, until }];
}

function isLoaded(residence: Residence | null): boolean {
  return residence?.state === "resident" || residence?.state === "draining";
}
