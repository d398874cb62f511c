// A task on the statechart of its machine, from its own events: its life as a row of stays, and the chart as it stood at a
// moment of it. It fetches nothing and reads no clock.

import { html } from "htm/preact";
import { useMemo, useState } from "preact/hooks";
import { machineGraph } from "../model/machine-graph.js";
import { timeInStates } from "../model/task-times.js";
import { Statechart } from "./statechart.js";
import { StayStrip } from "./stay-strip.js";

/** @import { TimedEvent } from "../model/task-times.js" */

/**
 * @typedef {object} TaskChartProps
 * @property {unknown} definition Of the machine `agent`, as `GET /v1/machines/agent` answers it; the same object each time.
 * @property {readonly (TimedEvent & { readonly cursor: number })[]} events Of the task, all that are known.
 * @property {number | null} [at] The cursor of the last event that counts: `null` for all of them.
 * @property {number} now Milliseconds since the epoch; the past ends with its last event.
 */

/** @param {TaskChartProps} props */
export function TaskChart({ definition, events, at = null, now }) {
  const machine = useMemo(() => machineGraph(definition).id, [definition]);
  const [selected, setSelected] = useState(/** @type {string | null} */ (null));
  const counted = at === null ? events : events.filter((event) => event.cursor <= at);
  const until = at === null ? now : Math.max(0, ...counted.map((event) => event.time));
  const { stays, totals, last } = timeInStates(counted, until);
  const idOf = (/** @type {string} */ path) => `${machine}.${path}`;
  const current = stays.at(-1);
  const choose = (/** @type {string} */ path) => setSelected(selected === idOf(path) ? null : idOf(path));
  return html`<div class="task-chart">
    <${StayStrip}
      stays=${stays}
      now=${until}
      selected=${selected === null ? null : selected.slice(machine.length + 1)}
      onSelect=${choose}
    />
    <${Statechart}
      definition=${definition}
      current=${current ? idOf(current.path) : null}
      lastTransition=${last && { from: idOf(last.from), to: idOf(last.to), at: last.at }}
      times=${totals}
      selected=${selected}
      onSelect=${setSelected}
    />
  </div>`;
}
