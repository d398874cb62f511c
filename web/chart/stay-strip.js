// A task's life as one row: a bar for each stay, coloured by its state, and beneath it what each colour is and comes to.

import { html } from "htm/preact";
import { stayBars, stayShares } from "../model/stay-bars.js";
import { shortTime } from "../model/task-times.js";

/** @import { Stay } from "../model/task-times.js" */

/**
 * @param {object} props
 * @param {readonly Stay[]} props.stays
 * @param {number} props.now The end of the row while the task goes on; milliseconds since the epoch.
 * @param {string | null} [props.selected] Path of a state.
 * @param {(path: string) => void} [props.onSelect]
 */
export function StayStrip({ stays, now, selected = null, onSelect }) {
  const [first] = stays;
  const last = stays.at(-1);
  if (!first || !last) return null;
  const to = hasEnded(last.path) ? last.from : now;
  const shares = stayShares(hasEnded(last.path) ? stays.slice(0, -1) : stays, to);
  return html`<div class="stays">
    <div class="stay-row" aria-hidden="true">
      ${stayBars(stays, { from: first.from, to }).map(
        (bar) =>
          html`<i
            key=${bar.from}
            class=${`stay-bar ${classOf(bar.path)}${bar.path === selected ? " selected" : ""}`}
            style=${{ left: `${bar.left * 100}%`, width: `${bar.width * 100}%` }}
            title=${`${wordOf(bar.path)}, ${shortTime(bar.to - bar.from)}`}
            onClick=${() => onSelect?.(bar.path)}
          ></i>`,
      )}
    </div>
    <ul class="stay-legend" aria-label="Time in each state">
      ${shares.map(
        ({ path, ms, share }) =>
          html`<li key=${path} class=${classOf(path)}>
            <button type="button" aria-pressed=${path === selected} onClick=${() => onSelect?.(path)}>
              <i aria-hidden="true"></i>${wordOf(path)} <b>${shortTime(ms)}</b> ${Math.round(share * 100)} %
            </button>
          </li>`,
      )}
    </ul>
  </div>`;
}

/** @param {string} path */
function hasEnded(path) {
  return path === "done" || path === "cancelled" || path === "failed";
}

/** @param {string} path */
function wordOf(path) {
  return (path.split(".").at(-1) ?? path).replaceAll("_", " ");
}

/** @param {string} path */
function classOf(path) {
  return `st-${wordOf(path).replaceAll(" ", "-")}`;
}
