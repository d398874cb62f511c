// One lane: the slots of a model on a server, who holds them, and the line of those who wait.

import { html } from "htm/preact";
import { currentForest, revision } from "../box.js";
import { oneLine } from "../model/plain-text.js";
import { hashOf } from "../model/route.js";
import { shortId, span } from "../model/words.js";

/** @typedef {import("../box.js").GpuView["backends"][number]} LaneView */

/** Those who wait and are shown; a longer line is counted. */
const SHOWN = 12;

/** @param {{ readonly id: string }} props */
function TaskLink({ id }) {
  void revision.value;
  const goal = currentForest().items.get(id)?.goal ?? "";
  return html`<a href=${hashOf({ page: "task", id })} title=${id} dir="auto"
    >${goal === "" ? shortId(id) : oneLine(goal, 70)}</a
  >`;
}

/** @param {{ readonly lane: LaneView }} props */
function Slots({ lane }) {
  const free = Math.max(0, lane.slots - lane.leases.length);
  return html`<ul class="slots" aria-label=${`${lane.leases.length} of ${lane.slots} slots held`}>
    ${lane.leases.map(
      (lease) =>
        html`<li class=${`slot held class-${lease.class}`} key=${lease.lease_id}>
          <${TaskLink} id=${lease.task_id} />
          <span class="muted">${lease.class} · <span class="figure">${span(lease.held_ms)}</span></span>
        </li>`,
    )}
    ${Array.from({ length: Math.min(free, 16) }, () => html`<li class="slot free">free</li>`)}
  </ul>`;
}

/** @param {{ readonly lane: LaneView }} props */
export function Lane({ lane }) {
  const rest = lane.waiting.length - SHOWN;
  return html`<article class="lane">
    <header>
      <h3 class="mono">${lane.profile || lane.backend}</h3>
      <span class="muted">${lane.profile === "" ? lane.provider : `on ${lane.backend}`}</span>
      ${lane.residency !== null && html`<span class=${`stay ${lane.residency}`}>${lane.residency}</span>`}
      <span class="muted stat" title=${lane.slots_reason ?? ""}>
        <span class="figure">${lane.leases.length}/${lane.slots}</span>
        <span>${lane.slots_auto ? "slots, found by trial" : "slots"}</span>
        <span class="figure">${lane.places.length}/${lane.max_children}</span>
        <span>children</span>
      </span>
    </header>
    <${Slots} lane=${lane} />
    ${lane.slots_auto && lane.slots_reason !== null && html`<p class="muted small">${lane.slots_reason}</p>`}
    ${
      lane.waiting.length > 0 &&
      html`<div class="wide">
        <table>
          <caption>
            ${lane.waiting.length} wait
          </caption>
          <thead>
            <tr>
              <th class="right">#</th>
              <th>Task</th>
              <th>Class</th>
              <th>Wants</th>
              <th class="right">Waits</th>
              <th>Because</th>
            </tr>
          </thead>
          <tbody>
            ${lane.waiting.slice(0, SHOWN).map(
              (wait) =>
                html`<tr key=${`${wait.task_id} ${wait.wants}`}>
                  <td class="right figure">${wait.position}</td>
                  <td><${TaskLink} id=${wait.task_id} /></td>
                  <td><span class=${`class class-${wait.class}`}>${wait.class}</span></td>
                  <td>${wait.wants}</td>
                  <td class="right figure">${span(wait.waited_ms)}</td>
                  <td>${oneLine(wait.reason, 160)}</td>
                </tr>`,
            )}
          </tbody>
          ${
            rest > 0 &&
            html`<tfoot>
              <tr>
                <td colspan="6" class="muted">and ${rest} more</td>
              </tr>
            </tfoot>`
          }
        </table>
      </div>`
    }
  </article>`;
}
