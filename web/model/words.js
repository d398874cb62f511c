// Words and figures as every page shows them: states, spans of time, sizes, counts. Pure; it knows no clock and no language
// but English.

/** @typedef {import("../../src/core/lifecycle.ts").State} State */
/** @typedef {import("../../src/core/lifecycle.ts").Phase} Phase */

/**
 * @typedef {"queued" | "waiting" | "working" | "tools" | "children" | "person" | "steering" | "done" | "failed"
 *   | "cancelled"} Tone How a state looks: a colour, and a sign for those who see no colours.
 */

/** @type {Readonly<Record<Phase, readonly [tone: Tone, words: string]>>} */
const PHASES = {
  queued: ["queued", "queued"],
  starting: ["queued", "starting"],
  waiting_slot: ["waiting", "waits for a slot"],
  generating: ["working", "generating"],
  calling_tools: ["tools", "calling tools"],
  waiting_children: ["children", "waits for children"],
  waiting_input: ["person", "waits for a person"],
  backing_off: ["waiting", "backs off"],
};

/** @type {Readonly<Record<State, Tone>>} */
const STATES = {
  spawned: "queued",
  running: "working",
  steering: "steering",
  done: "done",
  cancelled: "cancelled",
  failed: "failed",
};

/** @type {Readonly<Record<Tone, string>>} */
export const SIGNS = {
  queued: "○",
  waiting: "◌",
  working: "●",
  tools: "◆",
  children: "◐",
  person: "?",
  steering: "↷",
  done: "✓",
  failed: "✕",
  cancelled: "–",
};

/** What each look stands for, in the order in which a task goes through them: the legend of a timeline. */
export const TONE_WORDS = /** @type {readonly (readonly [tone: Tone, words: string])[]} */ ([
  ["queued", "queued"],
  ["waiting", "waits for a slot"],
  ["working", "generating"],
  ["tools", "calling tools"],
  ["steering", "steering"],
  ["children", "waits for children"],
  ["person", "waits for a person"],
  ["done", "done"],
  ["failed", "failed"],
  ["cancelled", "cancelled"],
]);

/**
 * @param {State} state
 * @param {Phase | null} phase
 * @param {"task" | "session"} [kind] A conversation that waits for its person is at rest.
 * @returns {Tone}
 */
export function toneOf(state, phase, kind = "task") {
  if (kind === "session" && phase === "waiting_input") return "queued";
  return phase === null || isOver(state) ? STATES[state] : PHASES[phase][0];
}

/**
 * The state in words, its phase where it has one: `generating`, `done`.
 * @param {State} state
 * @param {Phase | null} phase
 * @param {"task" | "session"} [kind]
 */
export function stateWords(state, phase, kind = "task") {
  if (kind === "session" && phase === "waiting_input") return "your turn";
  return phase === null || isOver(state) ? state : PHASES[phase][1];
}

/** @param {State} state */
export function isOver(state) {
  return state === "done" || state === "cancelled" || state === "failed";
}

/**
 * A span of time: `0.4 s`, `12 s`, `3 m 05 s`, `2 h 10 m`, `3 d 4 h`.
 * @param {number} ms
 */
export function span(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}

/**
 * A count in at most four characters and a letter: `950`, `12.3k`, `4.5M`.
 * @param {number} value
 */
export function count(value) {
  if (Math.abs(value) < 1000) return String(Math.round(value));
  const [size, letter] =
    Math.abs(value) < 999_500 ? [1e3, "k"] : Math.abs(value) < 999_500_000 ? [1e6, "M"] : [1e9, "G"];
  const scaled = value / size;
  return `${scaled.toFixed(Math.abs(scaled) < 99.95 ? 1 : 0)}${letter}`;
}

/**
 * @param {number} value
 * @returns {string} `17.2 GB`, in powers of ten, as makers of memory and of models count.
 */
export function bytes(value) {
  if (value < 1000) return `${value} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let scaled = value / 1000;
  let at = 0;
  while (scaled >= 999.5 && at < units.length - 1) {
    scaled /= 1000;
    at += 1;
  }
  return `${scaled.toFixed(scaled < 99.95 ? 1 : 0)} ${units[at]}`;
}

/**
 * @param {number} micros Millionths of the currency that the config prices in.
 */
export function money(micros) {
  return (micros / 1_000_000).toFixed(micros < 10_000 ? 4 : 2);
}

/**
 * The hour of a moment, to the second, where the reader is: `14:03:09`.
 * @param {number} time Milliseconds since the epoch.
 */
export function hour(time) {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

/**
 * An id short enough for a line, and long enough to tell tasks apart: `task_bb602a`.
 * @param {string} id
 */
export function shortId(id) {
  const [, kind = "", rest = ""] = /^([a-z]+_)(.*)$/.exec(id) ?? [];
  return kind === "" ? id.slice(0, 14) : `${kind}${rest.slice(0, 6)}`;
}
