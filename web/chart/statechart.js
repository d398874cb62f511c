// The statechart of a machine: where it is, where it was and for how long, and how it got there. It keeps what a person has
// chosen of the view (the selected state, what is folded up, the zoom) and nothing else; all of the rest is handed in.

import * as dagre from "@dagrejs/dagre";
import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { lineage, machineGraph } from "../model/machine-graph.js";
import { ChartDrawing } from "./chart-drawing.js";
import { ChartText, StateDetails } from "./chart-text.js";
import { wordsOf } from "./chart-parts.js";
import { seen } from "./chart-route.js";
import { layoutChart } from "./layout.js";

/** @import { MachineGraph } from "../model/machine-graph.js" */
/** @import { Total } from "../model/task-times.js" */

/**
 * @typedef {object} StatechartProps
 * @property {unknown} definition As `GET /v1/machines/{name}` answers it; the same object as long as it is the same machine.
 * @property {string | null} current Id of the state that the machine is in: `stateIdOf` of web/model/machine-graph.js.
 * @property {{ readonly from: string, readonly to: string, readonly at: number } | null} [lastTransition] Ids of states, and when.
 * @property {ReadonlyMap<string, Total>} [times] Time spent by the path of a state, as `timeInStates` gives it.
 * @property {string | null} [selected] Id of the state that is told about; without it the chart keeps what is chosen itself.
 * @property {(id: string | null) => void} [onSelect]
 */

const STEP = 1.25;
const SMALLEST = 0.35;
const LARGEST = 2.5;
/** A drawing that fits is not made larger than this. */
const LARGEST_FIT = 1.15;
/** Below this nothing that stands on an arrow can be read. */
const READABLE = 0.9;
/** A frame of less than this shows at first only what the machine is in. */
const NARROW = 760;
const UNKNOWN = { width: 1_000, height: 800 };
/** @type {ReadonlySet<string>} */
const NOTHING = new Set();
/** @type {ReadonlyMap<string, Total>} */
const NO_TIMES = new Map();

/** @param {StatechartProps} props */
export function Statechart(props) {
  const { definition, current, lastTransition = null, times = NO_TIMES, onSelect } = props;
  const graph = useMemo(() => machineGraph(definition), [definition]);
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  const [own, setOwn] = useState(/** @type {string | null} */ (null));
  const selected = props.selected === undefined ? own : props.selected;
  const [chosen, setChosen] = useState(/** @type {ReadonlySet<string> | null} */ (null));
  const [labels, setLabels] = useState(false);
  const [zoom, setZoom] = useState(/** @type {number | null} */ (null));
  const lit = new Set(current === null ? [] : lineage(graph, current));
  const size = useSize(frame);
  const folded =
    chosen ?? (size.width < NARROW ? apartFrom(graph, [current, lastTransition?.from]) : NOTHING);
  const expanded = graph.states.map(({ id }) => id).filter((id) => !folded.has(id));
  const layout = useMemo(
    () => layoutChart(graph, { dagre, expanded, labels }),
    [graph, expanded.join(), labels],
  );
  const fit = fitOf(size, layout);
  const scale = zoom ?? (labels ? Math.max(fit, READABLE) : fit);
  useCurrentInSight(frame, { layout, scale, current });
  const select = (/** @type {string | null} */ id) => {
    setOwn(id);
    onSelect?.(id);
  };
  const fold = (/** @type {string} */ id) =>
    setChosen(new Set(folded.has(id) ? [...folded].filter((each) => each !== id) : [...folded, id]));
  const shown = graph.byId.get(selected ?? current ?? "");
  const now = graph.byId.get(current ?? "");
  return html`<section class="statechart" aria-label=${`Statechart of ${graph.id}`}>
    <div class="chart-page">
      <div class="chart-bar">
        <p class="chart-now" aria-live="polite">
          ${now ? html`Now <strong>${wordsOf(now)}</strong>` : "Not begun"}
        </p>
        <${Tools}
          labels=${labels}
          zoomed=${zoom !== null}
          percent=${Math.round(scale * 100)}
          onLabels=${() => setLabels(!labels)}
          onFit=${() => setZoom(null)}
          onZoom=${(/** @type {number} */ by) => setZoom(Math.min(LARGEST, Math.max(SMALLEST, scale * by)))}
        />
      </div>
      <div class="chart-frame" ref=${frame}>
        <${ChartDrawing}
          layout=${layout}
          scale=${scale}
          view=${{ lit, current, selected, times, lastTransition }}
          onSelect=${select}
          onFold=${fold}
        />
      </div>
      <${StateDetails}
        graph=${graph}
        state=${shown}
        times=${times}
        isCurrent=${shown !== undefined && lit.has(shown.id)}
      />
      <${ChartText} graph=${graph} current=${current} times=${times} />
    </div>
  </section>`;
}

/**
 * @param {object} props
 * @param {boolean} props.labels
 * @param {boolean} props.zoomed
 * @param {number} props.percent
 * @param {() => void} props.onLabels
 * @param {() => void} props.onFit
 * @param {(by: number) => void} props.onZoom
 */
function Tools({ labels, zoomed, percent, onLabels, onFit, onZoom }) {
  return html`<div class="chart-tools" role="group" aria-label="View of the chart">
    <button type="button" aria-pressed=${labels} onClick=${onLabels}>Labels</button>
    <button type="button" aria-label="Smaller" onClick=${() => onZoom(1 / STEP)}>−</button>
    <output class="chart-zoom">${percent} %</output>
    <button type="button" aria-label="Larger" onClick=${() => onZoom(STEP)}>+</button>
    <button type="button" aria-pressed=${!zoomed} onClick=${onFit}>Fit</button>
  </div>`;
}

/**
 * The compound states that none of these lies in.
 *
 * @param {MachineGraph} graph
 * @param {readonly (string | null | undefined)[]} ids
 * @returns {ReadonlySet<string>}
 */
function apartFrom(graph, ids) {
  const near = new Set(ids.flatMap((id) => lineage(graph, id ?? "")));
  return new Set(
    graph.states.flatMap(({ id, children }) => (children.length > 0 && !near.has(id) ? id : [])),
  );
}

/**
 * The room inside of an element, now and whenever it changes; nothing before it is there.
 *
 * @param {{ readonly current: HTMLElement | null }} frame
 */
function useSize(frame) {
  const [size, setSize] = useState(UNKNOWN);
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return size;
}

/**
 * How large a drawing may be to be seen as a whole.
 *
 * @param {{ readonly width: number, readonly height: number }} room
 * @param {{ readonly width: number, readonly height: number }} layout
 */
function fitOf(room, layout) {
  const fit = Math.min(room.width / layout.width, room.height / layout.height, LARGEST_FIT);
  return Math.max(SMALLEST, fit);
}

/**
 * Scrolls a drawing that is larger than its frame to the state that the machine is in.
 *
 * @param {{ readonly current: HTMLElement | null }} frame
 * @param {{ layout: ReturnType<typeof layoutChart>, scale: number, current: string | null }} view
 */
function useCurrentInSight(frame, { layout, scale, current }) {
  useEffect(() => {
    const element = frame.current;
    const box = current === null ? null : seen(layout, current);
    if (!element || !box) return;
    element.scrollTo({
      left: (box.x + box.width / 2) * scale - element.clientWidth / 2,
      top: (box.y + box.height / 2) * scale - element.clientHeight / 2,
    });
  }, [layout, scale, current]);
}
