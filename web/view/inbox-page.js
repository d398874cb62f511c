// What needs a person: tasks that ask, with a box for the answer; and what failed lately.

import { useEffect, useMemo } from "preact/hooks";
import { html } from "htm/preact";
import { clock, currentForest, isLoaded, revision } from "../box.js";
import { oneLine } from "../model/plain-text.js";
import { hashOf } from "../model/route.js";
import { span } from "../model/words.js";
import { questionIn } from "../model/item.js";
import { needsOf } from "../model/waits.js";
import { TaskData } from "../task-data.js";
import { PlainText } from "./plain-text.js";
import { Composer } from "./composer.js";
import { LATELY_MS } from "./side-bar.js";
import { StateWords } from "./state-mark.js";

/** @typedef {import("../model/item.js").Item} Item */

/**
 * What a task that asks said last: its question stands there.
 * @param {string} id
 */
function useQuestion(id) {
  const data = useMemo(() => new TaskData(id), [id]);
  useEffect(() => () => data.close(), [data]);
  const { tail = [], waits_for: waitsFor = null } = data.view.value ?? {};
  const asked = questionIn(waitsFor);
  return { asked, text: asked ?? tail.slice(-6).join("\n") };
}

/** @param {{ readonly item: Item }} props */
function Asking({ item }) {
  const { asked, text: question } = useQuestion(item.id);
  return html`<article class="lane asks">
    <header>
      <${StateWords} state=${item.state} phase=${item.phase} kind=${item.kind} />
      <h3 dir="auto"><a href=${hashOf({ page: "task", id: item.id })}>${oneLine(item.goal, 160)}</a></h3>
      <span class="muted">asks for ${span(clock.value - item.changedAt)}</span>
    </header>
    ${question !== "" && html`<${PlainText} class="question" text=${question} step=${4000} />`}
    <${Composer}
      key=${asked ?? ""}
      path=${`/v1/tasks/${encodeURIComponent(item.id)}/answer`}
      bodyOf=${(/** @type {string} */ text) => (asked === null ? { text } : { text, asked })}
      label=${`Answer: ${oneLine(item.goal, 80)}`}
      placeholder="Your answer"
      button="Answer"
    />
  </article>`;
}

export function InboxPage() {
  void revision.value;
  const { asking, failed } = needsOf(currentForest(), clock.value - LATELY_MS);
  return html`<section class="page scroll">
    <header class="toolbar"><h1>Needs you</h1></header>
    <div class="content">
      ${!isLoaded.value && html`<p class="loading" role="status">Reading the tasks…</p>`}
      ${
        isLoaded.value &&
        asking.length === 0 &&
        html`<div class="empty">
          <h2>Nobody asks</h2>
          <p>
            A task that needs an answer or an approval waits here, holds no GPU meanwhile, and goes on when
            you have answered.
          </p>
        </div>`
      }
      ${asking.map((item) => html`<${Asking} key=${item.id} item=${item} />`)}
      ${
        failed.length > 0 &&
        html`<section class="gpu">
          <h2>Failed lately</h2>
          ${failed.slice(0, 20).map(
            (item) =>
              html`<article class="lane">
                <header>
                  <${StateWords} state=${item.state} phase=${item.phase} kind=${item.kind} />
                  <h3 dir="auto">
                    <a href=${hashOf({ page: "task", id: item.id })}>${oneLine(item.goal, 120)}</a>
                  </h3>
                  <span class="muted">${span(clock.value - (item.finishedAt ?? clock.value))} ago</span>
                </header>
                ${item.note !== "" && html`<p>${oneLine(item.note, 300)}</p>`}
              </article>`,
          )}
        </section>`
      }
    </div>
  </section>`;
}
