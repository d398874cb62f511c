// A state as every page shows it: a sign, a colour, and words for those who see neither. The sign alone stands beside words.

import { html } from "htm/preact";
import { SIGNS, stateWords, toneOf } from "../model/words.js";

/** @typedef {import("../model/words.js").State} State */
/** @typedef {import("../model/words.js").Phase} Phase */

/** @param {{ readonly state: State, readonly phase: Phase | null, readonly kind?: "task" | "session" }} props */
export function StateSign({ state, phase, kind }) {
  const tone = toneOf(state, phase, kind);
  return html`<span class=${`sign tone-${tone}`} aria-hidden="true">${SIGNS[tone]}</span>`;
}

/** @param {{ readonly state: State, readonly phase: Phase | null, readonly kind?: "task" | "session" }} props */
export function StateWords({ state, phase, kind }) {
  const tone = toneOf(state, phase, kind);
  return html`<span class=${`state tone-${tone}`}
    ><span class="sign" aria-hidden="true">${SIGNS[tone]}</span> ${stateWords(state, phase, kind)}</span
  >`;
}
