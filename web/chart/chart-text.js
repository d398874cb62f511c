// A statechart in words: what is known of one state, and the whole machine as a list for who cannot see the drawing or would
// rather read.

import { html } from "htm/preact";
import { moveText } from "../model/machine-graph.js";
import { shortTime } from "../model/task-times.js";
import { wordsOf } from "./chart-parts.js";

/** @import { GraphMove, GraphState, MachineGraph } from "../model/machine-graph.js" */
/** @import { Total } from "../model/task-times.js" */

/**
 * @param {object} props
 * @param {MachineGraph} props.graph
 * @param {GraphState | undefined} props.state
 * @param {ReadonlyMap<string, Total>} props.times
 * @param {boolean} props.isCurrent
 */
export function StateDetails({ graph, state, times, isCurrent }) {
  if (!state) return html`<div class="chart-details"><p>Choose a state to read about it.</p></div>`;
  const total = times.get(state.path);
  return html`<div class=${`chart-details st-${state.key.replaceAll("_", "-")}`}>
    <h3>${wordsOf(state)} <span class="chart-time">${spentText(total, isCurrent)}</span></h3>
    <p>${state.description}</p>
    ${
      state.tags.length > 0 &&
      html`<ul class="chart-tags" aria-label="Tags">
        ${state.tags.map((tag) => html`<li key=${tag}>${tag}</li>`)}
      </ul>`
    }
    <${Moves} graph=${graph} id=${state.id} />
  </div>`;
}

/**
 * `3 times, 12s in all, now again`.
 *
 * @param {Total | undefined} total
 * @param {boolean} isCurrent
 */
export function spentText(total, isCurrent) {
  if (!total) return isCurrent ? "now" : "not visited";
  const visits = total.visits === 1 ? "once" : `${total.visits} times`;
  const time = total.ms > 0 ? [`${shortTime(total.ms)} in all`] : [];
  return [visits, ...time, ...(isCurrent ? ["there now"] : [])].join(", ");
}

/** @param {{ graph: MachineGraph, id: string }} props */
function Moves({ graph, id }) {
  const moves = graph.moves.filter((move) => move.source === id);
  if (moves.length === 0) return null;
  return html`<ul class="chart-moves" aria-label="Goes on">
    ${moves.map((move) => html`<li key=${move.id}>${moveLine(graph, move)}</li>`)}
  </ul>`;
}

/**
 * @param {MachineGraph} graph
 * @param {GraphMove} move
 */
function moveLine(graph, move) {
  const target = graph.byId.get(move.target ?? "");
  const where = move.reach === "self" ? "itself" : target ? wordsOf(target) : "stays";
  const doing =
    move.actions.length > 0 ? html` <span class="chart-actions">${move.actions.join(", ")}</span>` : "";
  return html`<code>${moveText(move)}</code> → ${where}${doing}`;
}

/**
 * @param {object} props
 * @param {MachineGraph} props.graph
 * @param {string | null} props.current
 * @param {ReadonlyMap<string, Total>} props.times
 */
export function ChartText({ graph, current, times }) {
  const [root] = graph.states;
  if (!root) return null;
  return html`<details class="chart-text">
    <summary>The chart as text</summary>
    <p>${root.description}</p>
    <p>From any state:</p>
    <${Moves} graph=${graph} id=${root.id} />
    <${Inside} graph=${graph} ids=${root.children} current=${current} times=${times} />
  </details>`;
}

/**
 * @param {object} props
 * @param {MachineGraph} props.graph
 * @param {readonly string[]} props.ids
 * @param {string | null} props.current
 * @param {ReadonlyMap<string, Total>} props.times
 */
function Inside({ graph, ids, current, times }) {
  const states = ids.flatMap((id) => graph.byId.get(id) ?? []);
  return html`<ul class="chart-inside">
    ${states.map(
      (state) =>
        html`<li key=${state.id} aria-current=${state.id === current ? "step" : undefined}>
          <strong>${wordsOf(state)}</strong>
          ${` (${spentText(times.get(state.path), state.id === current)}). ${state.description}`}
          <${Moves} graph=${graph} id=${state.id} />
          ${state.children.length > 0 && html`<${Inside} graph=${graph} ids=${state.children} current=${current} times=${times} />`}
        </li>`,
    )}
  </ul>`;
}
