// Who waits for what, from what the GPUs show; and how fast each model writes, from what was written lately. Pure.

import { asksPerson } from "./item.js";

/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/box-api.ts").GpuView>} GpuView */
/** @typedef {GpuView["backends"][number]["waiting"][number]} Waiting */
/** @typedef {import("./forest.js").Forest} Forest */
/** @typedef {import("./item.js").Item} Item */
/** @typedef {import("./item.js").StoredEvent} StoredEvent */

/**
 * The wait of each task that waits for a place or a generation.
 * @param {readonly GpuView[]} gpus
 * @returns {ReadonlyMap<string, Waiting>}
 */
export function waitsOf(gpus) {
  const lanes = gpus.flatMap((gpu) => gpu.backends);
  return new Map(lanes.flatMap((lane) => lane.waiting.map((wait) => [wait.task_id, wait])));
}

/**
 * Tasks that a person has to do something about: they ask, or they have failed lately.
 * @param {Forest} forest
 * @param {number} since Failures before this time are no news.
 */
export function needsOf(forest, since) {
  /** @type {Item[]} */
  const asking = [];
  /** @type {Item[]} */
  const failed = [];
  for (const item of forest.items.values()) {
    if (asksPerson(item)) asking.push(item);
    // A child's failure is its parent's business first.
    else if (item.state === "failed" && item.parentId === null && (item.finishedAt ?? 0) >= since)
      failed.push(item);
  }
  return {
    asking: asking.toSorted((a, b) => a.changedAt - b.changedAt),
    failed: failed.toSorted((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0)),
  };
}

/** Writing is counted over so long. */
const RATE_WINDOW_MS = 60_000;

/** @typedef {{ readonly time: number, readonly model: string, readonly tokens: number }} Written */

/**
 * What an event says was written; `null` for most.
 * @param {Forest} forest
 * @param {StoredEvent} event
 * @returns {Written | null}
 */
export function writtenBy(forest, event) {
  const tokens = /** @type {{ readonly output_tokens?: unknown }} */ (event.data).output_tokens;
  const model = forest.items.get(event.task_id)?.model;
  if (event.type !== "turn.finished" || typeof tokens !== "number" || !model) return null;
  return { time: event.time, model, tokens };
}

/**
 * Tokens per second of each model over the last minute, and what still counts.
 * @param {readonly Written[]} written Oldest first.
 * @param {number} now
 */
export function ratesOf(written, now) {
  const recent = written.filter(({ time }) => time > now - RATE_WINDOW_MS);
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const { model, tokens } of recent) sums.set(model, (sums.get(model) ?? 0) + tokens);
  const rates = new Map([...sums].map(([model, tokens]) => [model, tokens / (RATE_WINDOW_MS / 1000)]));
  return { recent, rates };
}
