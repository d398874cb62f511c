// The slider over a task's events: where it stands, what happened there, and the way back to now.

import { html } from "htm/preact";
import { hour } from "../model/words.js";

/**
 * @typedef {object} TimeSliderProps
 * @property {readonly import("../live.js").StoredEvent[]} events Oldest first.
 * @property {number | null} at A cursor; `null` follows what happens.
 * @property {(cursor: number | null) => void} onMove
 */

/** @param {TimeSliderProps} props */
export function TimeSlider({ events, at, onMove }) {
  if (events.length < 2) return null;
  const last = events.length - 1;
  const place =
    at === null
      ? last
      : Math.max(
          0,
          events.findLastIndex((event) => event.cursor <= at),
        );
  const event = events[place];
  const move = (/** @type {InputEvent} */ input) => {
    const to = Number(/** @type {HTMLInputElement} */ (input.currentTarget).value);
    onMove(to >= last ? null : (events[to]?.cursor ?? null));
  };
  return html`<div class=${`slider${at === null ? "" : " past"}`}>
    <input
      type="range"
      min="0"
      max=${last}
      value=${place}
      aria-label="Go back in time"
      aria-valuetext=${`event ${place + 1} of ${events.length}: ${event?.type}`}
      onInput=${move}
    />
    <span class="slider-words">
      <span class="figure">${place + 1}/${events.length}</span>
      <span class="mono">${event?.type}</span>
      <span class="muted">${event ? hour(event.time) : ""}</span>
    </span>
    <button type="button" disabled=${at === null} onClick=${() => onMove(null)}>
      ${at === null ? "now" : "back to now"}
    </button>
  </div>`;
}
