// The chart of a task, loaded when it is first looked at: its modules, and the machine that it draws.

import { signal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { clock } from "../box.js";
import { api } from "../server.js";

/** @typedef {import("../live.js").StoredEvent} StoredEvent */

/** @typedef {{ readonly TaskChart: typeof import("../chart/task-chart.js").TaskChart, readonly definition: unknown }} Loaded */

const loaded = signal(/** @type {Loaded | null} */ (null));
const problem = signal("");

async function load() {
  if (loaded.value !== null) return;
  try {
    const [{ TaskChart }, { machineGraph }, { definition }] = await Promise.all([
      import("../chart/task-chart.js"),
      import("../model/machine-graph.js"),
      /** @type {Promise<{ definition: unknown }>} */ (api.get("/v1/machines/agent")),
    ]);
    // What cannot be drawn is said here, and does not take the page with it.
    machineGraph(definition);
    loaded.value = { TaskChart, definition };
    problem.value = "";
  } catch (error) {
    problem.value = error instanceof Error ? error.message : String(error);
  }
}

/** @param {{ readonly events: readonly StoredEvent[], readonly at: number | null }} props */
export function ChartPanel({ events, at }) {
  useEffect(() => void load(), []);
  const { value } = loaded;
  if (problem.value !== "") {
    return html`<div class="empty" role="alert">
      <p>The chart cannot be shown: ${problem}</p>
      <p><button type="button" onClick=${load}>Try again</button></p>
    </div>`;
  }
  if (value === null) return html`<p class="loading" role="status">Drawing the machine…</p>`;
  const { TaskChart, definition } = value;
  return html`<${TaskChart} definition=${definition} events=${events} at=${at} now=${clock.value} />`;
}
