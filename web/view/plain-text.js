// Text of models and tools. It is text whatever it holds: no markup is ever made of it, and what a screen would obey or hide
// stands there as a mark. Very long texts are shown in parts.

import { useState } from "preact/hooks";
import { html } from "htm/preact";
import { clipped, plainPieces } from "../model/plain-text.js";
import { bytes } from "../model/words.js";

/** Characters that are shown at first, and added by each press of the button. */
const STEP = 20_000;

/**
 * @param {{ readonly text: string, readonly class?: string, readonly step?: number }} props
 */
export function PlainText({ text, class: name = "", step = STEP }) {
  const [most, setMost] = useState(step);
  const { head, rest } = clipped(text, most);
  return html`<div class=${`text ${name}`} dir="auto">
    ${plainPieces(head).map((piece) =>
      piece.name === null ? piece.text : html`<span class="mark" title=${piece.name}>${piece.text}</span>`,
    )}
    ${
      rest > 0 &&
      html`<button type="button" class="more" onClick=${() => setMost(most + step)}>
        … ${bytes(rest)} more: show the next ${bytes(Math.min(step, rest))}
      </button>`
    }
  </div>`;
}
