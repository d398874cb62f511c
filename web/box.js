// What the page knows of the server: the forest of tasks, the box in figures, and whether all that is live. One socket feeds
// it; views read signals and ask for nothing by themselves.
//
// B1. The forest is changed in place; `revision` moves at most once for each picture that the browser draws.
// B2. Nothing is called live that the socket does not call so.

import { effect, signal } from "@preact/signals";
import { dropToken, token } from "./access.js";
import { after, beforePaint, now, openSocket } from "./browser.js";
import { Live } from "./live.js";
import { applyEvent, forestOf, newForest } from "./model/forest.js";
import { ratesOf, writtenBy } from "./model/waits.js";
import { api } from "./server.js";
import { hearDelta, hearEvent } from "./speech.js";

/** @typedef {import("./live.js").LiveState} LiveState */
/** @typedef {import("./live.js").Frame} Frame */
/** @typedef {import("../src/core/wire.ts").Wire<import("../src/core/box-api.ts").BoxStatus>} BoxStatus */
/** @typedef {import("../src/core/wire.ts").Wire<import("../src/core/box-api.ts").GpuView>} GpuView */
/** @typedef {import("../src/core/wire.ts").Wire<import("../src/core/box-api.ts").ProviderView>} ProviderView */
/** @typedef {import("../src/core/wire.ts").Wire<import("../src/core/api.ts").TreeNode>} TreeNode */
/** @typedef {import("./model/waits.js").Written} Written */

export const connection = signal({
  state: /** @type {LiveState} */ ("connecting"),
  since: now(),
  retryMs: 0,
});
/** Moves with everything that changes in the forest (keeps B1). */
export const revision = signal(0);
/** Whether the trees were read at least once. */
export const isLoaded = signal(false);
/** Why they could not be read; empty while they could. */
export const loadProblem = signal("");
export const boxStatus = signal(/** @type {BoxStatus | null} */ (null));
export const gpus = signal(/** @type {readonly GpuView[] | null} */ (null));
export const providers = signal(/** @type {readonly ProviderView[] | null} */ (null));
/** The time that views count from: moves every second, and in a recording not at all. */
export const clock = signal(now());
/** Tokens per second by model. */
export const rates = signal(/** @type {ReadonlyMap<string, number>} */ (new Map()));

let forest = newForest();
/** @type {readonly Written[]} */
let written = [];
/** @type {Set<(event: import("./live.js").StoredEvent) => void>} */
const listeners = new Set();

/** The forest as it is; read `revision` to hear of changes. */
export function currentForest() {
  return forest;
}

/**
 * Hears every event from now on.
 * @param {(event: import("./live.js").StoredEvent) => void} act
 * @returns {() => void} Ends it.
 */
export function onEvent(act) {
  listeners.add(act);
  return () => listeners.delete(act);
}

let isDirty = false;
function touch() {
  if (isDirty) return;
  isDirty = true;
  beforePaint(() => {
    isDirty = false;
    revision.value += 1;
  });
}

export const live = new Live({
  open: () => openSocket("/v1/events"),
  after,
  token: () => token.value,
  onRefused: dropToken,
  onState(state, retryMs) {
    const { value } = connection;
    if (state === value.state && retryMs === null) return;
    const since = state === value.state ? value.since : now();
    connection.value = { state, since, retryMs: retryMs ?? 0 };
  },
  onWelcome(isNewStore) {
    if (isNewStore) {
      forest = newForest();
      touch();
    }
    if (isNewStore || loadProblem.value !== "") void loadForest();
    void loadStatus();
  },
  onFrames(frames) {
    for (const frame of frames) take(frame);
    touch();
  },
});

/** @param {Frame} frame */
function take(frame) {
  if (frame.kind === "delta") return hearDelta(frame);
  // What was missed is in the next snapshot.
  if (frame.kind === "gap") return void loadForest();
  if (frame.kind !== "event") return;
  applyEvent(forest, frame.event);
  hearEvent(frame.event);
  const said = writtenBy(forest, frame.event);
  if (said !== null) written = [...written, said];
  for (const listener of listeners) listener(frame.event);
}

export async function loadForest() {
  const since = forest.cursor;
  try {
    /** @type {{ items: readonly TreeNode[] }} */
    const { items } = await api.get("/v1/tree");
    forest = forestOf(items, forest, since);
    isLoaded.value = true;
    loadProblem.value = "";
  } catch (error) {
    loadProblem.value = error instanceof Error ? error.message : String(error);
  }
  touch();
}

async function loadStatus() {
  try {
    boxStatus.value = await api.get("/v1/status");
    if (boxStatus.value) clock.value = boxStatus.value.recorded_at ?? now();
  } catch {
    // What is known stays; the connection says how good it is.
  }
}

/** How often the GPUs are looked at while somebody looks at them: waits and leases move without events. */
const LOOK_MS = 1_000;
/** Beats between two looks at what seldom changes. */
const SELDOM = 10;
/** Views that want the GPUs kept fresh. */
let watchers = 0;

/**
 * Keeps `gpus` and `providers` fresh until it is called off.
 * @returns {() => void}
 */
export function watchGpus() {
  watchers += 1;
  if (watchers === 1) void lookAtGpus(true);
  return () => {
    watchers -= 1;
  };
}

/** @param {boolean} all */
export async function lookAtGpus(all) {
  try {
    /** @type {{ items: readonly GpuView[] }} */
    const { items } = await api.get("/v1/gpus");
    gpus.value = items;
    if (!all) return;
    /** @type {{ items: readonly ProviderView[] }} */
    const found = await api.get("/v1/providers");
    providers.value = found.items;
  } catch {
    // As with the status.
  }
}

function beat(/** @type {number} */ number) {
  clock.value = boxStatus.value?.recorded_at ?? now();
  const counted = ratesOf(written, clock.value);
  written = counted.recent;
  if (counted.rates.size > 0 || rates.value.size > 0) rates.value = counted.rates;
  if (connection.value.state === "live") {
    if (watchers > 0) void lookAtGpus(number % SELDOM === 0);
    if (number % SELDOM === 0) void loadStatus();
  }
  after(LOOK_MS, () => beat(number + 1));
}

/** Begins to live: with a token there is a socket, without one there is none. */
export function startBox() {
  beat(1);
  effect(() => {
    if (token.value === null) live.stop();
    else live.start();
  });
}
