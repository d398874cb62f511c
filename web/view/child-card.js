// A child where its parent started it: its goal and how it stands at the moment that is shown.

import { html } from "htm/preact";
import { oneLine } from "../model/plain-text.js";
import { hashOf } from "../model/route.js";
import { isOver, shortId, span } from "../model/words.js";
import { useShownForest } from "./shown-forest.js";
import { StateWords } from "./state-mark.js";

/** @param {{ readonly id: string }} props */
export function ChildCard({ id }) {
  const { forest, time } = useShownForest();
  const item = forest.items.get(id);
  if (item === undefined)
    return html`<a class="card" href=${hashOf({ page: "task", id })}>${shortId(id)}</a>`;
  const length = (item.finishedAt ?? time) - item.createdAt;
  return html`<a class=${`card${isOver(item.state) ? "" : " living"}`} href=${hashOf({ page: "task", id })}>
    <span class="card-head">
      <${StateWords} state=${item.state} phase=${item.phase} kind=${item.kind} />
      <span class="figure muted">${span(length)}</span>
      <span class="id">${shortId(id)}</span>
    </span>
    <span class="card-goal" dir="auto">${oneLine(item.goal, 160)}</span>
    ${item.note !== "" && !isOver(item.state) && html`<span class="card-note muted" dir="auto">${oneLine(item.note, 120)}</span>`}
    ${item.progress?.percent != null && html`<progress max="100" value=${item.progress.percent} aria-label="Progress"></progress>`}
  </a>`;
}
