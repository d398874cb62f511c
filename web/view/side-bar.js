// The way around: the pages, how many things wait for a person, and whether what is seen is live.

import { html } from "htm/preact";
import { boxStatus, clock, connection, currentForest, live, loadForest, revision } from "../box.js";
import { isHelpOpen } from "../keys.js";
import { needsOf } from "../model/waits.js";
import { hashOf } from "../model/route.js";
import { span } from "../model/words.js";
import { place } from "../place.js";
import { nextTheme, theme } from "../theme.js";

/** Failures of the last quarter of an hour are news. */
export const LATELY_MS = 900_000;

/** @typedef {import("../model/route.js").Place["page"]} PageName */

/** @type {readonly (readonly [page: PageName, label: string, key: string])[]} */
export const PAGES = [
  ["tree", "Tasks", "1"],
  ["inbox", "Needs you", "2"],
  ["gpus", "GPUs and models", "3"],
  ["chat", "Conversations", "4"],
  ["new", "New task", "n"],
];

/** @type {Readonly<Record<import("../live.js").LiveState, string>>} */
const WORDS = {
  connecting: "connecting…",
  live: "live",
  stale: "silent",
  reconnecting: "reconnecting…",
  closed: "disconnected",
};

function LiveNote() {
  const { state, since } = connection.value;
  if (state === "live" && boxStatus.value?.recorded_at != null) {
    return html`<div class="live" role="status">
      <span class="dot" aria-hidden="true"></span><span>a recording</span>
    </div>`;
  }
  const forHowLong = state === "live" ? "" : ` ${span(Math.max(0, clock.value - since))}`;
  return html`<div class=${`live live-${state}`} role="status">
    <span class="dot" aria-hidden="true"></span>
    <span>${WORDS[state]}<span aria-hidden="true">${forHowLong}</span></span>
    ${state !== "live" && html`<button type="button" onClick=${() => live.hurry()}>Try now</button>`}
  </div>`;
}

export function SideBar() {
  void revision.value;
  const { asking } = needsOf(currentForest(), clock.value - LATELY_MS);
  const { page } = place.value;
  const status = boxStatus.value;
  return html`<nav class="side" aria-label="Pages">
    <a class="brand" href=${hashOf({})}><span class="logo" aria-hidden="true"></span>Troupe</a>
    <ul>
      ${PAGES.map(([name, label, key]) => {
        const isHere = page === name || (name === "tree" && page === "task");
        return html`<li>
          <a href=${hashOf({ page: name })} aria-current=${isHere ? "page" : undefined}>
            <span>${label}</span>
            ${name === "inbox" && asking.length > 0 && html`<b class="badge">${asking.length}</b>`}
            <kbd aria-hidden="true">${key}</kbd>
          </a>
        </li>`;
      })}
    </ul>
    <div class="foot">
      ${status?.simulated && html`<p class="simulated" title="The models of this server are rules, not models.">SIMULATED</p>`}
      ${status?.paused && html`<p class="paused">paused: new tasks wait</p>`}
      ${status?.unsafe?.map((line) => html`<p class="paused" role="alert">${line}</p>`)}
      <${LiveNote} />
      <p class="small">
        <button type="button" onClick=${nextTheme} title="Light, dark, or as the system has it">
          ${theme} theme
        </button>
        <button type="button" onClick=${() => (isHelpOpen.value = true)} title="All keys">
          keys <kbd>?</kbd>
        </button>
      </p>
      ${status && html`<p class="small muted">Troupe ${status.version} · ${keepsWords(status)}</p>`}
    </div>
  </nav>`;
}

/** @param {import("../box.js").BoxStatus} status */
function keepsWords({ durability, recorded_at: recordedAt }) {
  if (recordedAt !== null)
    return `of ${new Date(recordedAt).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return durability === "none" ? "keeps nothing" : "keeps tasks";
}

/** Said over every page while what it shows may be old. */
export function StaleNote() {
  const { state, since } = connection.value;
  if (state === "live" || state === "connecting") return null;
  const age = span(Math.max(0, clock.value - since));
  return html`<p class=${`stale-note live-${state}`} role="alert">
    ${
      state === "stale"
        ? `The server has not answered for ${age}. What stands here may be old.`
        : state === "closed"
          ? "Disconnected. What stands here is how it was."
          : `The connection is broken since ${age}; trying again. What stands here is how it was then.`
    }
  </p>`;
}

/** @param {{ readonly what: string, readonly problem: string }} props */
export function LoadProblem({ what, problem }) {
  return html`<div class="empty" role="alert">
    <h2>${what} could not be read</h2>
    <p>${problem}</p>
    <button type="button" onClick=${() => void loadForest()}>Try again</button>
  </div>`;
}
