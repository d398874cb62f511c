// One task in the list: its place in the tree, its goal, its state, and its life on the axis of time.

import { html } from "htm/preact";
import { oneLine } from "../model/plain-text.js";
import { barsOf } from "../model/time-axis.js";
import { count, shortId, span, stateWords } from "../model/words.js";
import { StateSign } from "./state-mark.js";

export const ROW_HEIGHT = 28;

/** @typedef {import("../model/outline.js").Row} Row */

/**
 * @typedef {object} TreeRowProps
 * @property {Row} row
 * @property {number} top Pixels from the top of the list.
 * @property {import("../model/time-axis.js").Axis} axis
 * @property {number} now
 * @property {import("../model/waits.js").Waiting} [wait]
 * @property {boolean} isChosen
 * @property {(id: string) => void} onToggle
 * @property {(id: string) => void} onOpen
 */

/** @param {Row} row */
function Branches({ lines }) {
  return lines.map(
    (goesOn, at) =>
      html`<i
        class=${`branch${at === lines.length - 1 ? " own" : ""}${goesOn ? " on" : ""}`}
        aria-hidden="true"
      ></i>`,
  );
}

/** @param {TreeRowProps} props */
export function TreeRow({ row, top, axis, now, wait, isChosen, onToggle, onOpen }) {
  const { item } = row;
  const title = item.goal === "" ? (item.kind === "session" ? "Conversation" : "…") : oneLine(item.goal, 160);
  const words = wait ? `${wait.position}. in line` : stateWords(item.state, item.phase, item.kind);
  const reason = wait ? `${wait.class}, wants a ${wait.wants}: ${wait.reason}` : (item.waitsFor ?? item.note);
  const tokens = item.promptTokens + item.outputTokens;
  const since = item.finishedAt === null ? now - item.changedAt : item.finishedAt - item.createdAt;
  return html`<div
    class="row"
    id=${`row-${item.id}`}
    role="treeitem"
    aria-level=${row.depth + 1}
    aria-selected=${isChosen}
    aria-expanded=${item.children.length === 0 ? undefined : !row.folded}
    style=${{ transform: `translateY(${top}px)` }}
    onClick=${() => onOpen(item.id)}
  >
    <span class="task">
      <${Branches} ...${row} />
      ${
        item.children.length > 0
          ? html`<span
              class="fold"
              aria-hidden="true"
              onClick=${(/** @type {MouseEvent} */ event) => {
                event.stopPropagation();
                onToggle(item.id);
              }}
              >${row.folded ? "▸" : "▾"}</span
            >`
          : html`<span class="fold"></span>`
      }
      <${StateSign} ...${item} />
      <span class=${`goal ${item.kind}`} title=${title} dir="auto">${title}</span>
      ${row.hidden > 0 && html`<span class="hidden-count">+${row.hidden}</span>`}
      <span class="id"
        >${item.agent && item.agent !== "default" ? `${item.agent} · ` : ""}${shortId(item.id)}</span
      >
    </span>
    <span class="words" title=${oneLine(reason)}>${words}</span>
    <span class="right figure">${span(since)}</span>
    <span class="right figure">${tokens === 0 ? "" : count(tokens)}</span>
    <span class="axis" aria-hidden="true">
      ${axis.ticks.map((tick) => html`<i class="tick" style=${{ left: `${tick.at * 100}%` }}></i>`)}
      ${barsOf(item, axis, now).map(
        (bar) =>
          html`<i
            class=${`bar tone-${bar.tone}`}
            style=${{ left: `${bar.left * 100}%`, width: `${bar.width * 100}%` }}
          ></i>`,
      )}
      ${item.finishedAt !== null && endMark(item, axis)}
    </span>
  </div>`;
}

/**
 * @param {import("../model/item.js").Item} item
 * @param {import("../model/time-axis.js").Axis} axis
 */
function endMark(item, axis) {
  const at = ((item.finishedAt ?? 0) - axis.from) / (axis.to - axis.from);
  if (at < 0 || at > 1.001) return null;
  return html`<i class=${`end tone-${item.state}`} style=${{ left: `${at * 100}%` }}></i>`;
}
