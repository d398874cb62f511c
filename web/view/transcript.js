// A transcript as it is read and as it is being written. What comes below stays in view as long as the reader is at the end.

import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "htm/preact";
import { inputWords } from "../model/conversation.js";
import { oneLine } from "../model/plain-text.js";
import { hour } from "../model/words.js";
import { speechOf, spoken } from "../speech.js";
import { ChildCard } from "./child-card.js";
import { PlainText } from "./plain-text.js";

/** @typedef {import("../model/conversation.js").Entry} Entry */
/** @typedef {import("../model/conversation.js").ToolUse} ToolUse */

/** @type {Readonly<Record<Entry["voice"], string>>} */
const VOICES = {
  goal: "goal",
  person: "you",
  steer: "steer",
  completion: "a child ended",
  question: "a child asks",
  model: "agent",
  tool: "tool",
  note: "Troupe",
};

/** How close to the end counts as at the end, in pixels. */
const NEAR = 60;

/** @param {{ readonly tool: ToolUse }} props */
function Tool({ tool }) {
  const words = oneLine(inputWords(tool.input), 160);
  return html`<div class="tool-use">
    <details class=${tool.isError ? "tool failed" : "tool"}>
      <summary>
        <span class="mono">${oneLine(tool.name, 60)}</span> <span class="muted" dir="auto">${words}</span>
        <span class="tool-end">${tool.result === null ? "…" : tool.isError ? "failed" : ""}</span>
      </summary>
      <h4>asked</h4>
      <${PlainText} class="mono" text=${JSON.stringify(tool.input, null, 2) ?? ""} step=${4000} />
      ${
        tool.result !== null &&
        html`<h4>answered</h4>
          <${PlainText} class="mono" text=${tool.result} step=${4000} />`
      }
    </details>
    ${tool.children.map((id) => html`<${ChildCard} key=${id} id=${id} />`)}
  </div>`;
}

/** @param {{ readonly text: string }} props */
function Thinking({ text }) {
  if (text === "") return null;
  return html`<details class="thinking">
    <summary>thinking</summary>
    <${PlainText} text=${text} step=${4000} />
  </details>`;
}

/** @param {{ readonly entry: Entry }} props */
function Message({ entry }) {
  return html`<article class=${`entry voice-${entry.voice}`}>
    <header>
      <b>${VOICES[entry.voice]}</b>
      ${entry.turn > 0 && html`<span class="muted">turn ${entry.turn}</span>`}
      <time class="muted">${hour(entry.time)}</time>
      ${entry.interrupted && html`<span class="state tone-steering">interrupted</span>`}
    </header>
    <${Thinking} text=${entry.thinking} />
    ${entry.text !== "" && html`<${PlainText} text=${entry.text} />`}
    ${entry.tools.map((tool) => html`<${Tool} key=${tool.callId} tool=${tool} />`)}
  </article>`;
}

/** What is being written right now. */
function Speech(/** @type {{ readonly id: string }} */ { id }) {
  void spoken.value;
  const { text, thinking } = speechOf(id);
  if (text === "" && thinking === "") return null;
  return html`<article class="entry voice-model writing">
    <header><b>agent</b> <span class="muted">writing</span></header>
    ${text === "" ? html`<div class="thinking"><${PlainText} text=${thinking.slice(-2000)} /></div>` : html`<${PlainText} text=${text} />`}
  </article>`;
}

/**
 * @param {{ readonly id: string, readonly entries: readonly Entry[], readonly isPast: boolean, readonly isOver: boolean }} props
 */
export function Transcript({ id, entries, isPast, isOver }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const isAtEnd = useRef(true);
  void spoken.value;
  useLayoutEffect(() => {
    const { current } = list;
    if (current !== null && isAtEnd.current) current.scrollTop = current.scrollHeight;
  });
  const noteScroll = () => {
    const { current } = list;
    if (current) isAtEnd.current = current.scrollHeight - current.scrollTop - current.clientHeight < NEAR;
  };
  return html`<div
    class="transcript"
    tabindex="0"
    role="log"
    aria-label="Transcript"
    aria-live="off"
    ref=${list}
    onScroll=${noteScroll}
  >
    ${entries.length === 0 && html`<p class="loading">${isOver ? "It ended without a word." : "Nothing was said yet."}</p>`}
    ${entries.map((entry) => html`<${Message} key=${entry.index} entry=${entry} />`)}
    ${!isPast && html`<${Speech} id=${id} />`}
  </div>`;
}
