// The drawing of a statechart: SVG of our own from a layout, and what can be done with a state by mouse and by keys. One state
// takes the focus of the Tab key, and the arrow keys go on from it.

import { html } from "htm/preact";
import { shortTime } from "../model/task-times.js";
import { CHART, wordsOf } from "./chart-parts.js";
import { routeLines } from "./chart-route.js";

/** @import { Total } from "../model/task-times.js" */
/** @import { ChartLayout, PlacedArrow, PlacedNode } from "./layout.js" */

/**
 * @typedef {object} ChartView What the machine and the person make of the drawing.
 * @property {ReadonlySet<string>} lit The state that the machine is in, and what that lies in.
 * @property {string | null} current
 * @property {string | null} selected
 * @property {ReadonlyMap<string, Total>} times
 * @property {{ readonly from: string, readonly to: string, readonly at: number } | null} lastTransition
 */

/**
 * @typedef {object} ChartDrawingProps
 * @property {ChartLayout} layout
 * @property {number} scale
 * @property {ChartView} view
 * @property {(id: string | null) => void} onSelect
 * @property {(id: string) => void} onFold
 */

const STEPS = /** @type {Readonly<Record<string, number>>} */ ({
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
});

/** @param {ChartDrawingProps} props */
export function ChartDrawing({ layout, scale, view, onSelect, onFold }) {
  const { nodes, edges, rules, width, height } = layout;
  const entrance = nodes.find(({ state }) => state.id === (view.selected ?? view.current)) ?? nodes[0];
  const focused = view.selected ?? view.current;
  const touched = (/** @type {PlacedArrow} */ { source, target }) => source === focused || target === focused;
  return html`<svg
    class="chart"
    width=${Math.round(width * scale)}
    height=${Math.round(height * scale)}
    viewBox=${`0 0 ${width} ${height}`}
    role="group"
    aria-label="States and moves"
  >
    <defs>${["plain", "near", "route"].map((kind) => html`<${ArrowHead} kind=${kind} key=${kind} />`)}</defs>
    ${nodes.filter(({ open }) => open).map((node) => html`<${OpenBox} key=${`box ${node.state.id}`} node=${node} view=${view} />`)}
    ${edges.map(
      (edge) =>
        html`<path
          key=${edge.id}
          class=${`chart-edge${touched(edge) ? " near" : ""}`}
          d=${edge.path}
          marker-end=${`url(#chart-head-${touched(edge) ? "near" : "plain"})`}
        />`,
    )}
    <${Route} layout=${layout} last=${view.lastTransition} />
    ${edges.filter(({ lines }) => lines.length > 0).map((edge) => html`<${EdgeLabel} key=${`label ${edge.id}`} edge=${edge} near=${touched(edge)} />`)}
    ${nodes.map(
      (node) =>
        html`<${Handle}
          key=${node.state.id}
          node=${node}
          view=${view}
          takesTab=${node === entrance}
          onSelect=${onSelect}
          onFold=${onFold}
        />`,
    )}
    ${
      rules.length > 0 &&
      html`<text class="chart-rule" x="12" y=${height - 12}>
        from any state: ${rules.map(({ text }) => text).join("   ·   ")}
      </text>`
    }
  </svg>`;
}

/** @param {{ kind: string }} props */
function ArrowHead({ kind }) {
  return html`<marker
    id=${`chart-head-${kind}`}
    class=${`chart-head ${kind}`}
    viewBox="0 0 8 8"
    refX="7"
    refY="4"
    markerWidth="7"
    markerHeight="7"
    markerUnits="userSpaceOnUse"
    orient="auto"
  >
    <path d="M0.5,0.8 L7.5,4 L0.5,7.2 Z" />
  </marker>`;
}

/**
 * The way that was gone last, drawn once from its begin to its end.
 *
 * @param {{ layout: ChartLayout, last: ChartView["lastTransition"] }} props
 */
function Route({ layout, last }) {
  if (!last) return null;
  const lines = routeLines(layout, last.from, last.to);
  return html`<g key=${`${last.from} ${last.to} ${last.at}`} class="chart-route" aria-hidden="true">
    ${lines.map(
      ({ path, drawn }, at) =>
        html`<path
          key=${at}
          class=${`${drawn ? "" : "straight "}step-${Math.min(at, 3)}`}
          d=${path}
          pathLength="1"
          marker-end="url(#chart-head-route)"
        />`,
    )}
  </g>`;
}

/** @param {{ node: PlacedNode, view: ChartView }} props */
function OpenBox({ node, view }) {
  const { x, y, width, height, state } = node;
  return html`<rect
    class=${`chart-box depth-${Math.min(state.depth, 3)}${view.lit.has(state.id) ? " lit" : ""}`}
    x=${x}
    y=${y}
    width=${width}
    height=${height}
    rx="10"
  />`;
}

/** @param {{ edge: PlacedArrow, near: boolean }} props */
function EdgeLabel({ edge: { label, lines }, near }) {
  return html`<g class=${`chart-label${near ? " near" : ""}`} aria-hidden="true">
    <rect x=${label.x} y=${label.y} width=${label.width} height=${label.height} rx="3" />
    ${lines.map(
      ({ text, kind }, at) =>
        html`<text
          key=${at}
          class=${kind}
          x=${label.x + label.width / 2}
          y=${label.y + 11 + at * CHART.labelLine}
          >${text}</text
        >`,
    )}
  </g>`;
}

/**
 * A state as something to point at, in words for who does not see it.
 *
 * @param {object} props
 * @param {PlacedNode} props.node
 * @param {ChartView} props.view
 * @param {boolean} props.takesTab
 * @param {(id: string | null) => void} props.onSelect
 * @param {(id: string) => void} props.onFold
 */
function Handle({ node, view, takesTab, onSelect, onFold }) {
  const { state, open, x, y, width, height } = node;
  const total = view.times.get(state.path);
  const isSelected = view.selected === state.id;
  const isCurrent = view.lit.has(state.id) && !open;
  const words = [
    `st-${state.key.replaceAll("_", "-")}`,
    open ? "open" : "closed",
    state.kind,
    ...(state.passing ? ["passing"] : []),
    ...(isCurrent ? ["current"] : []),
    ...(total ? ["visited"] : []),
    ...(isSelected ? ["selected"] : []),
  ];
  const top = open ? CHART.headerHeight + node.rows.length * CHART.rowHeight : height;
  return html`<g
    class=${`chart-state ${words.join(" ")}`}
    role="button"
    tabindex=${takesTab ? 0 : -1}
    aria-pressed=${isSelected}
    aria-current=${isCurrent ? "step" : undefined}
    aria-label=${inWords(node, { total, isCurrent })}
    onClick=${() => onSelect(isSelected ? null : state.id)}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => onKey(event, { id: state.id, onSelect, onFold })}
  >
    <rect class="shape" x=${x} y=${y} width=${width} height=${top} rx=${state.kind === "final" ? 14 : 8} />
    ${state.kind === "final" && html`<rect class="inner" x=${x + 3} y=${y + 3} width=${width - 6} height=${top - 6} rx="11" />`}
    ${!open && !state.passing && state.kind !== "final" && html`<rect class="stripe" x=${x} y=${y + 6} width="4" height=${height - 12} rx="2" />`}
    <text class="name" x=${x + 12} y=${y + 19}>${wordsOf(state)}</text>
    ${total && total.ms > 0 && html`${" "}<text class="time" x=${x + width - (state.children.length > 0 ? 28 : 9)} y=${y + 18.5}>${shortTime(total.ms)}</text>`}
    ${node.rows.map(
      ({ text, kind }, at) =>
        html`${" "}<text key=${at} class=${`row ${kind}`} x=${x + 12} y=${y + 34 + at * CHART.rowHeight}
            >${text}</text
          >`,
    )}
    ${state.children.length > 0 && html`<${Fold} node=${node} onFold=${onFold} />`}
  </g>`;
}

/** @param {{ node: PlacedNode, onFold: (id: string) => void }} props */
function Fold({ node, onFold }) {
  const { state, open, x, y, width } = node;
  const toggle = (/** @type {Event} */ event) => {
    event.stopPropagation();
    onFold(state.id);
  };
  return html`<g class="chart-fold" onClick=${toggle} aria-hidden="true">
    <rect x=${x + width - 24} y=${y + 5} width="17" height="17" rx="4" />
    <path d=${`M${x + width - 19.5},${y + 13.5}h8${open ? "" : `m-4,-4v8`}`} />
  </g>`;
}

/**
 * What is written on a state, and then what its looks say.
 *
 * @param {PlacedNode} node
 * @param {{ total: Total | undefined, isCurrent: boolean }} seen
 */
function inWords({ state, open, rows }, { total, isCurrent }) {
  const time = total && total.ms > 0 ? [shortTime(total.ms)] : [];
  const written = [wordsOf(state), ...time, ...rows.map(({ text }) => text)].join(" ");
  const visits = total
    ? total.visits === 1
      ? "visited once"
      : `visited ${total.visits} times`
    : "not visited";
  const folded = state.children.length === 0 ? [] : [open ? "open" : "folded up, + opens it"];
  return [written, ...(isCurrent ? ["current"] : []), visits, ...folded].join(", ");
}

/**
 * Enter and Space select, Escape lets go, + and - open and fold up, arrows go to the next state.
 *
 * @param {KeyboardEvent} event
 * @param {{ id: string, onSelect: (id: string | null) => void, onFold: (id: string) => void }} state
 */
function onKey(event, { id, onSelect, onFold }) {
  const step = STEPS[event.key];
  const element = event.currentTarget;
  if (event.key === "Enter" || event.key === " ") onSelect(id);
  else if (event.key === "Escape") onSelect(null);
  else if (event.key === "+" || event.key === "-") onFold(id);
  else if (step !== undefined && element instanceof SVGElement) focusNext(element, step);
  else return;
  event.preventDefault();
}

/**
 * @param {SVGElement} element
 * @param {number} step
 */
function focusNext(element, step) {
  const all = [...(element.ownerSVGElement?.querySelectorAll("[role=button]") ?? [])];
  const next = all[(all.indexOf(element) + step + all.length) % all.length];
  if (next instanceof SVGElement) next.focus();
}
