// Beside the transcript: what was used, the state machine with the state it is in, what became of steers, and how it came there.

import { html } from "htm/preact";
import { oneLine } from "../model/plain-text.js";
import { gaugesOf, receiptWords } from "../model/receipts.js";
import { count, hour, stateWords } from "../model/words.js";
import { amend } from "../place.js";
import { ChartPanel } from "./chart-panel.js";
import { ChildCard } from "./child-card.js";
import { useShownForest } from "./shown-forest.js";

/** @typedef {import("../task-data.js").TaskView} TaskView */
/** @typedef {import("../live.js").StoredEvent} StoredEvent */
/** @typedef {import("../model/item.js").Item} Item */

/** Steps that are listed; the slider has all of them. */
const STEPS = 60;

/** @param {{ readonly view: TaskView }} props */
function Budget({ view }) {
  return html`<section>
    <h2>Used <span class="muted">with everything below it</span></h2>
    <dl class="gauges">
      ${gaugesOf(view)
        .filter(({ label, limit, used }) => label !== "Money" || limit !== null || !/^0\.0+$/.test(used))
        .map(
          ({ label, used, limit, share }) =>
            html`<div class=${share !== null && share >= 0.8 ? "gauge near" : "gauge"}>
              <dt>${label}</dt>
              <dd>
                <span class="figure">${used}</span
                >${limit === null ? "" : html` <span class="muted">of ${limit}</span>`}
                ${share !== null && html`<progress max="1" value=${share} aria-label=${`${label} used`}></progress>`}
              </dd>
            </div>`,
        )}
    </dl>
  </section>`;
}

/** @param {{ readonly view: TaskView }} props */
function Steers({ view }) {
  if (view.steers.length === 0) return null;
  return html`<section>
    <h2>Messages to it</h2>
    <ul class="receipts">
      ${view.steers
        .toReversed()
        .map(
          (receipt) =>
            html`<li class=${`receipt ${receipt.state}`}>
              <time class="muted figure">${hour(receipt.time)}</time> ${receiptWords(receipt)}
              ${receipt.interrupt && html`<span class="muted">, at once</span>`}
            </li>`,
        )}
    </ul>
  </section>`;
}

/**
 * How it came where it is: its moves from state to state, newest first.
 * @param {{ readonly events: readonly StoredEvent[], readonly past: Item | undefined }} props
 */
function Steps({ events, past }) {
  const until = past?.cursor ?? Infinity;
  const steps = events.filter((event, at) => {
    const before = events[at - 1];
    return event.cursor <= until && (before?.state !== event.state || before.phase !== event.phase);
  });
  if (steps.length === 0) return null;
  return html`<section>
    <h2>How it came here</h2>
    <ol class="steps" reversed>
      ${steps
        .slice(-STEPS)
        .toReversed()
        .map(
          (event) =>
            html`<li>
              <button
                type="button"
                onClick=${() => amend({ at: event.cursor })}
                title="Go back to this moment"
              >
                <time class="figure">${hour(event.time)}</time>
                <span>${stateWords(event.state, event.phase)}</span>
                <span class="mono muted">${event.type}</span>
              </button>
            </li>`,
        )}
    </ol>
  </section>`;
}

/** @param {{ readonly id: string }} props */
function Children({ id }) {
  const children = useShownForest().forest.items.get(id)?.children ?? [];
  if (children.length === 0) return null;
  return html`<section>
    <h2>Children <span class="muted">${count(children.length)}</span></h2>
    ${children.slice(0, 50).map((child) => html`<${ChildCard} key=${child} id=${child} />`)}
  </section>`;
}

/** @param {{ readonly view: TaskView }} props */
function Route({ view }) {
  const { route } = view;
  if (route === null) return null;
  return html`<section>
    <h2>Models it may use</h2>
    <ul class="plain">
      ${route.candidates.map((model) => html`<li class="mono">${model}</li>`)}
      ${route.skipped.map(({ model, reason }) => html`<li class="muted"><span class="mono">${model}</span>: ${oneLine(reason)}</li>`)}
      ${route.reroutes.map(({ from, to, reason }) => html`<li>${from} → ${to}: ${oneLine(reason)}</li>`)}
    </ul>
  </section>`;
}

/**
 * @param {{ readonly view: TaskView, readonly events: readonly StoredEvent[], readonly past: Item | undefined,
 *   readonly at: number | null }} props
 */
export function TaskSide({ view, events, past, at }) {
  const isPast = at !== null;
  return html`<aside class="task-side" aria-label="About this task">
    ${!isPast && html`<${Budget} view=${view} />`}
    <section class="task-machine">
      <h2>Statechart</h2>
      <${ChartPanel} events=${events} at=${at} />
    </section>
    <${Children} id=${view.task_id} />
    ${!isPast && html`<${Steers} view=${view} />`}
    <${Steps} events=${events} past=${past} />
    <${Route} view=${view} />
  </aside>`;
}
