// The default page: every task in its tree beside a timeline. Only the rows on screen are drawn, so that ten thousand tasks
// cost as much as forty.

import { computed, signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "htm/preact";
import { clock, currentForest, isLoaded, loadProblem, revision, watchGpus, gpus } from "../box.js";
import { takeKeys } from "../keys.js";
import { forestAt } from "../model/forest.js";
import { outline, tally, visibleRows } from "../model/outline.js";
import { axisOf, WINDOWS } from "../model/time-axis.js";
import { waitsOf } from "../model/waits.js";
import { hashOf } from "../model/route.js";
import { Past } from "../past.js";
import { amend, goTo, place } from "../place.js";
import { LoadProblem } from "./side-bar.js";
import { TimeSlider } from "./time-slider.js";
import { ToneLegend } from "./tone-legend.js";
import { ROW_HEIGHT, TreeRow } from "./tree-row.js";

/** @typedef {import("../model/outline.js").Which} Which */
/** @typedef {import("../model/outline.js").Row} Row */
/** @typedef {import("../model/time-axis.js").Window} Window */

/** @type {readonly (readonly [which: Which, label: string])[]} */
const FILTERS = [
  ["all", "All"],
  ["living", "Living"],
  ["waiting", "Waiting"],
  ["done", "Done"],
  ["failed", "Failed"],
];

const which = signal(/** @type {Which} */ ("all"));
const folded = signal(/** @type {ReadonlySet<string>} */ (new Set()));
const minutes = signal(/** @type {Window} */ (0));
/** The task that the keyboard is at. */
const chosen = signal(/** @type {string | null} */ (null));

/** The past of the tree that is shown alone. */
const past = signal(/** @type {Past | null} */ (null));

/** What is shown: the forest as it is, or as it was. */
function shownForest() {
  void revision.value;
  const { at } = place.value;
  return at === null || past.value === null ? currentForest() : forestAt(past.value.events.value, at);
}

const rows = computed(() => {
  const { query, page, id } = place.value;
  const root = page === "tree" ? id : null;
  return outline(shownForest(), { which: which.value, query, folded: folded.value, root });
});

/** The time that the list counts from: now, or that of the event that it stands at. */
function shownTime() {
  const { at } = place.value;
  return past.value?.events.value.findLast((event) => at !== null && event.cursor <= at)?.time ?? clock.value;
}

/** A single tree, with the slider over all that happened in it. */
function OneTree(/** @type {{ readonly id: string }} */ { id }) {
  const data = useMemo(() => new Past({ root_id: id }), [id]);
  useEffect(() => {
    past.value = data;
    return () => {
      past.value = null;
      data.close();
    };
  }, [data]);
  return html`<div class="one-tree">
    <a class="button" href=${hashOf({})}>All trees</a>
    <${TimeSlider}
      events=${data.events.value}
      at=${place.value.at}
      onMove=${(/** @type {number | null} */ at) => amend({ at })}
    />
  </div>`;
}

/** @param {string} id */
function toggle(id) {
  const next = new Set(folded.value);
  if (!next.delete(id)) next.add(id);
  folded.value = next;
}

function Filters() {
  void revision.value;
  const counts = tally(shownForest());
  return html`<div class="filters" role="group" aria-label="State">
    ${FILTERS.map(
      ([name, label]) =>
        html`<button type="button" aria-pressed=${which.value === name} onClick=${() => (which.value = name)}>
          ${label} <span class="figure">${counts[name]}</span>
        </button>`,
    )}
  </div>`;
}

/** @param {number} length */
const windowLabel = (length) =>
  length === 0 ? "fit" : length < 60 ? `${length} min` : length === 60 ? "1 h" : "1 day";

function Toolbar() {
  return html`<header class="toolbar">
    <h1>Tasks</h1>
    <${Filters} />
    <input
      id="filter"
      type="search"
      placeholder="Filter  /"
      aria-label="Filter by goal, agent, model or id"
      value=${place.value.query}
      onInput=${(/** @type {InputEvent} */ event) =>
        amend({ query: /** @type {HTMLInputElement} */ (event.currentTarget).value })}
    />
    <label class="window">
      <span>Time</span>
      <select
        value=${minutes}
        onChange=${(/** @type {Event} */ event) => {
          const { value } = /** @type {HTMLSelectElement} */ (event.currentTarget);
          minutes.value = WINDOWS.find((known) => known === Number(value)) ?? 0;
        }}
      >
        ${WINDOWS.map((length) => html`<option value=${length}>${windowLabel(length)}</option>`)}
      </select>
    </label>
  </header>`;
}

/** Keys of the list; they move what is chosen and keep it on screen. */
function useListKeys(/** @type {{ current: HTMLElement | null }} */ list) {
  useLayoutEffect(() => {
    /** @param {number} by */
    const move = (by) => {
      const all = rows.value;
      const at = all.findIndex(({ item }) => item.id === chosen.value);
      const next = all[Math.max(0, Math.min(all.length - 1, at + by))];
      if (next === undefined) return;
      chosen.value = next.item.id;
      reveal(list.current, all.indexOf(next));
    };
    /** @param {boolean} fold */
    const setFolded = (fold) => {
      const row = rows.value.find(({ item }) => item.id === chosen.value);
      if (row !== undefined && row.item.children.length > 0 && row.folded !== fold) toggle(row.item.id);
    };
    const keys = {
      j: () => move(1),
      k: () => move(-1),
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      PageDown: () => move(20),
      PageUp: () => move(-20),
      Home: () => move(-1e9),
      End: () => move(1e9),
      h: () => setFolded(true),
      ArrowLeft: () => setFolded(true),
      l: () => setFolded(false),
      ArrowRight: () => setFolded(false),
      Enter: () => chosen.value !== null && openItem(chosen.value),
      "/": () => document.getElementById("filter")?.focus(),
      Escape: () => amend({ query: "" }),
    };
    return takeKeys(keys);
  }, []);
}

/**
 * @param {HTMLElement | null} list
 * @param {number} at
 */
function reveal(list, at) {
  if (list === null) return;
  const top = at * ROW_HEIGHT;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW_HEIGHT > list.scrollTop + list.clientHeight)
    list.scrollTop = top + ROW_HEIGHT - list.clientHeight;
}

/** @param {string} id */
function openItem(id) {
  const item = currentForest().items.get(id);
  goTo({ page: item?.kind === "session" ? "chat" : "task", id });
}

function List() {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const [view, setView] = useState({ top: 0, height: 800 });
  useListKeys(list);
  useEffect(watchGpus, []);
  useLayoutEffect(() => {
    const { current } = list;
    if (current === null) return;
    const look = () => setView({ top: current.scrollTop, height: current.clientHeight });
    const sizes = new ResizeObserver(look);
    sizes.observe(current);
    current.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      current.removeEventListener("scroll", look);
    };
  }, []);
  const all = rows.value;
  const { from, to } = visibleRows({ ...view, rowHeight: ROW_HEIGHT, count: all.length });
  const axis = axisOf(
    all.map(({ item }) => item),
    shownTime(),
    minutes.value,
  );
  const waits = useMemo(() => waitsOf(gpus.value ?? []), [gpus.value]);
  return html`<div class="list-frame">
    <div class="list-head" aria-hidden="true">
      <span>Task</span><span>State</span><span class="right">In it</span><span class="right">Tokens</span>
      <span class="axis"
        >${axis.ticks.map((tick) => html`<i style=${{ left: `${tick.at * 100}%` }}>${tick.label}</i>`)}</span
      >
    </div>
    <div
      class="list"
      role="tree"
      aria-label="Tasks"
      tabindex="0"
      ref=${list}
      aria-activedescendant=${chosen.value === null ? undefined : `row-${chosen.value}`}
    >
      <div role="presentation" class="sizer" style=${{ height: `${all.length * ROW_HEIGHT}px` }}>
        ${all
          .slice(from, to)
          .map(
            (row, at) =>
              html`<${TreeRow}
                key=${row.item.id}
                row=${row}
                top=${(from + at) * ROW_HEIGHT}
                axis=${axis}
                now=${shownTime()}
                wait=${waits.get(row.item.id)}
                isChosen=${chosen.value === row.item.id}
                onToggle=${toggle}
                onOpen=${openItem}
              />`,
          )}
      </div>
    </div>
    <${ToneLegend} />
  </div>`;
}

function Nothing() {
  const isNarrowed = which.value !== "all" || place.value.query !== "";
  if (isNarrowed) {
    return html`<div class="empty">
      <h2>No task is like that</h2>
      <p>Nothing here matches the filter.</p>
      <button
        type="button"
        onClick=${() => {
          which.value = "all";
          amend({ query: "" });
        }}
      >
        Show all
      </button>
    </div>`;
  }
  return html`<div class="empty">
    <h2>Nothing runs yet</h2>
    <p>
      Give an agent a goal, or talk with one that gives work to others. Each task appears here the moment it
      is made.
    </p>
    <p>
      <a class="button primary" href=${hashOf({ page: "new" })}>New task</a>
      <a class="button" href=${hashOf({ page: "chat" })}>Conversations</a>
    </p>
    <pre>troupe delegate "Which files are here?"</pre>
  </div>`;
}

export function TreePage() {
  const isEmpty = rows.value.length === 0;
  return html`<section class="page tree-page">
    <${Toolbar} />
    ${place.value.id !== null && html`<${OneTree} key=${place.value.id} id=${place.value.id} />`}
    ${
      !isLoaded.value && loadProblem.value !== ""
        ? html`<${LoadProblem} what="The tasks" problem=${loadProblem.value} />`
        : !isLoaded.value && isEmpty
          ? html`<p class="loading" role="status">Reading the tasks…</p>`
          : isEmpty
            ? html`<${Nothing} />`
            : html`<${List} />`
    }
  </section>`;
}
