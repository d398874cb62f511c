// What models are writing right now: deltas by task, until the message is whole and stands in the transcript.

import { signal } from "@preact/signals";

/** @typedef {import("./live.js").StoredEvent} StoredEvent */
/** @typedef {{ readonly text: string, readonly thinking: string }} Speech */

/** Characters that are kept of one message while it is written: the transcript will have all of it. */
const MOST = 40_000;
/** @type {Map<string, Speech>} */
const speeches = new Map();
/** Moves with every word. */
export const spoken = signal(0);

/** @type {Speech} */
const SILENCE = { text: "", thinking: "" };

/** @param {string} taskId */
export function speechOf(taskId) {
  return speeches.get(taskId) ?? SILENCE;
}

/** @param {{ readonly task_id: string, readonly channel: "text" | "thinking", readonly text: string }} delta */
export function hearDelta({ task_id: taskId, channel, text }) {
  const before = speechOf(taskId);
  speeches.set(taskId, { ...before, [channel]: (before[channel] + text).slice(-MOST) });
  spoken.value += 1;
}

/** A new turn or a new try begins with nothing said; what is over is in the transcript.
 * @param {StoredEvent} event */
export function hearEvent({ type, task_id: taskId }) {
  const begins = type === "turn.started" || type === "generation.retried" || type === "generation.preempted";
  const ends =
    type === "turn.finished" || type === "task.done" || type === "task.failed" || type === "task.cancelled";
  if ((begins || ends) && speeches.delete(taskId)) spoken.value += 1;
}
