// What the colours of the timeline and the signs beside the tasks stand for.

import { html } from "htm/preact";
import { SIGNS, TONE_WORDS } from "../model/words.js";

export function ToneLegend() {
  return html`<ul class="tone-legend" aria-label="Colours of the timeline">
    ${TONE_WORDS.map(
      ([tone, words]) =>
        html`<li class=${`tone-${tone}`}>
          <span class="sign" aria-hidden="true">${SIGNS[tone]}</span>
          <i class=${isEnd(tone) ? "end" : `bar tone-${tone}`} aria-hidden="true"></i>
          <span>${words}</span>
        </li>`,
    )}
  </ul>`;
}

/** @param {import("../model/words.js").Tone} tone */
function isEnd(tone) {
  return tone === "done" || tone === "failed" || tone === "cancelled";
}
