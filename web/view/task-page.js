// One task: where it stands and how it came there, what it says as it says it, what it used, and the boxes to steer and to
// cancel it. A slider goes back over its events, and everything here follows it.

import { useEffect, useLayoutEffect, useMemo } from "preact/hooks";
import { html } from "htm/preact";
import { clock, live } from "../box.js";
import { takeKeys } from "../keys.js";
import { entriesOf, entriesUntil } from "../model/conversation.js";
import { forestAt } from "../model/forest.js";
import { oneLine } from "../model/plain-text.js";
import { hashOf } from "../model/route.js";
import { isOver, shortId, span } from "../model/words.js";
import { amend, goTo, place } from "../place.js";
import { TaskData } from "../task-data.js";
import { CancelBox } from "./cancel-box.js";
import { ShownForest, useShownForest, useTreeAt } from "./shown-forest.js";
import { SteerBox } from "./steer-box.js";
import { StateWords } from "./state-mark.js";
import { TaskSide } from "./task-side.js";
import { TimeSlider } from "./time-slider.js";
import { Transcript } from "./transcript.js";

/** @typedef {import("../task-data.js").TaskView} TaskView */
/** @typedef {import("../model/item.js").Item} Item */

/**
 * The data of a task for as long as a page shows it, and its writing as it comes.
 * @param {string} id
 */
export function useTaskData(id) {
  const data = useMemo(() => new TaskData(id), [id]);
  useEffect(() => {
    live.watch([id]);
    return () => {
      live.watch([]);
      data.close();
    };
  }, [data, id]);
  return data;
}

/** @param {{ readonly view: TaskView }} props */
function Ancestors({ view }) {
  const { forest } = useShownForest();
  /** @type {Item[]} */
  const line = [];
  for (let at = view.parent_id; at !== null;) {
    const item = forest.items.get(at);
    if (item === undefined) break;
    line.unshift(item);
    at = item.parentId;
  }
  return html`<nav class="crumbs" aria-label="Ancestors">
    <a href=${hashOf({})}>Tasks</a>
    <span aria-hidden="true">›</span>
    <a href=${hashOf({ page: "tree", id: view.root_id, at: place.value.at })}>Tree</a>
    ${line.map(
      (item) =>
        html`<span aria-hidden="true">›</span>
          <a href=${hashOf({ page: item.kind === "session" ? "chat" : "task", id: item.id })}>
            ${item.kind === "session" ? "Conversation" : oneLine(item.goal, 40)}
          </a>`,
    )}
    <span aria-hidden="true">›</span><span class="id">${shortId(view.task_id)}</span>
  </nav>`;
}

/**
 * @param {{ readonly view: TaskView, readonly item: Item | undefined, readonly isPast: boolean }} props
 */
function Facts({ view, item, isPast }) {
  const started = view.started_at;
  const ended = view.finished_at;
  const turn = isPast ? (item?.turn ?? 0) : view.turn;
  return html`<p class="facts">
    <${StateWords}
      state=${item?.state ?? view.state}
      phase=${item ? item.phase : view.phase}
      kind=${view.kind}
    />
    ${!isPast && view.queue_position !== null && html`<span>${view.queue_position}. in line</span>`}
    ${!isPast && view.waits_for !== null && html`<span>for ${oneLine(view.waits_for)}</span>`}
    <span>turn ${turn}${view.run > 1 ? `, run ${view.run}` : ""}</span>
    <span>${view.agent}</span>
    <span class="mono">${view.model.provider}/${view.model.model}</span>
    ${
      started === null
        ? html`<span>made ${span(clock.value - view.created_at)} ago</span>`
        : html`<span
            >${ended === null ? `for ${span(clock.value - started)}` : `took ${span(ended - started)}`}</span
          >`
    }
  </p>`;
}

/** @param {{ readonly view: TaskView }} props */
function Outcome({ view }) {
  if (view.failure === null) return null;
  return html`<div class="outcome failed" role="note">
    <b>${view.failure.code}</b> <span>${oneLine(view.failure.message, 600)}</span>
  </div>`;
}

/** @param {TaskData} data */
function useTaskKeys(data) {
  useLayoutEffect(() => {
    /** @param {number} by */
    const step = (by) => {
      const events = data.events.value;
      const { at } = place.value;
      const now = at === null ? events.length - 1 : events.findLastIndex((event) => event.cursor <= at);
      const next = events[Math.max(0, now + by)];
      amend({ at: next === undefined || now + by >= events.length - 1 ? null : next.cursor });
    };
    return takeKeys({
      s: () => document.getElementById("steer")?.focus(),
      "[": () => step(-1),
      "]": () => step(1),
      Escape: () => (place.value.at === null ? goTo({}) : amend({ at: null })),
      p: () => {
        const parent = data.view.value?.parent_id;
        if (parent) goTo({ page: "task", id: parent });
      },
    });
  }, [data]);
}

/** @param {{ readonly id: string }} props */
export function TaskPage({ id }) {
  const data = useTaskData(id);
  useTaskKeys(data);
  const view = data.view.value;
  const events = data.events.value;
  const { at } = place.value;
  const tree = useTreeAt(view?.root_id ?? null, at);
  const entries = useMemo(() => entriesOf(data.rows.value), [data.rows.value]);
  const past = useMemo(
    () => (at === null ? undefined : forestAt(events, at).items.get(id)),
    [events, at, id],
  );
  if (view === null) {
    return data.problem.value === ""
      ? html`<section class="page"><p class="loading" role="status">Reading the task…</p></section>`
      : html`<section class="page">
          <div class="empty" role="alert">
            <h2>This task cannot be shown</h2>
            <p>${data.problem}</p>
            <p><a class="button" href=${hashOf({})}>All tasks</a></p>
          </div>
        </section>`;
  }
  const isPast = at !== null;
  const shown = isPast ? entriesUntil(entries, past?.seq ?? 0) : entries;
  return html`<section class="page task-page">
    <header class="task-head">
      <${Ancestors} view=${view} />
      <div class="title">
        <h1 dir="auto" title=${oneLine(view.goal, 2000)}>${oneLine(view.goal, 240) || "Conversation"}</h1>
        ${!isOver(view.state) && html`<${CancelBox} id=${id} />`}
      </div>
      <${Facts} view=${view} item=${past} isPast=${isPast} />
      <${Outcome} view=${view} />
      <${TimeSlider}
        events=${events}
        at=${at}
        onMove=${(/** @type {number | null} */ to) => amend({ at: to })}
      />
    </header>
    <${ShownForest} value=${tree}>
      <div class="task-body">
        <div class="task-main">
          <${Transcript} id=${id} entries=${shown} isPast=${isPast} isOver=${isOver(view.state)} />
          ${!isPast && !isOver(view.state) && html`<${SteerBox} id=${id} />`}
        </div>
        <${TaskSide} view=${view} events=${events} past=${past} at=${at} />
      </div>
    <//>
  </section>`;
}
