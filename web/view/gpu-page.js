// GPUs and models: who holds what, who waits, why and for how long; what is loaded; which servers and keys there are.

import { useEffect } from "preact/hooks";
import { html } from "htm/preact";
import { clock, gpus, providers, rates, watchGpus } from "../box.js";
import { bytes, span } from "../model/words.js";
import { Lane } from "./lane.js";
import { Providers } from "./providers.js";

/** @typedef {import("../box.js").GpuView} GpuView */

/** @type {Readonly<Record<string, string>>} */
const STAYS = {
  absent: "not loaded",
  loading: "loading",
  resident: "loaded",
  draining: "ends its turns",
  unloading: "unloading",
};

/** @param {{ readonly gpu: GpuView }} props */
function Memory({ gpu }) {
  const total = gpu.loaded.reduce((sum, model) => sum + model.vram_bytes, 0);
  if (gpu.loaded.length === 0) return html`<p class="muted">No model is loaded.</p>`;
  return html`<div class="memory">
    <div class="memory-bar" aria-hidden="true">
      ${gpu.loaded.map(
        (model, at) =>
          html`<i
            class=${`part part-${at % 4}${model.foreign ? " foreign" : ""}`}
            style=${{ flexGrow: model.vram_bytes }}
          ></i>`,
      )}
    </div>
    <ul class="plain">
      ${gpu.loaded.map(
        (model, at) =>
          html`<li>
            <i class=${`swatch part-${at % 4}`} aria-hidden="true"></i>
            <span class="mono">${model.model}</span>
            <span class="figure">${bytes(model.vram_bytes)}</span>
            ${model.context_tokens !== null && html`<span class="muted">context ${model.context_tokens}</span>`}
            ${model.foreign && html`<span class="muted">loaded by somebody else</span>`}
          </li>`,
      )}
      <li class="muted">
        <i class="swatch" aria-hidden="true"></i>together <span class="figure">${bytes(total)}</span>
      </li>
    </ul>
  </div>`;
}

/** @param {{ readonly gpu: GpuView }} props */
function Residency({ gpu }) {
  if (gpu.residency.length === 0) return null;
  return html`<div class="wide">
    <table>
      <caption>
        Loads and swaps
      </caption>
      <thead>
        <tr>
          <th>Model</th>
          <th>Is</th>
          <th class="right">For</th>
          <th class="right">Last load took</th>
          <th>Said</th>
        </tr>
      </thead>
      <tbody>
        ${gpu.residency.map(
          (model) =>
            html`<tr>
              <td class="mono">${model.profile}</td>
              <td>
                <span class=${`stay ${model.state}`}>${STAYS[model.state] ?? model.state}</span
                >${model.phase === null ? "" : ` (${model.phase.replace("_", " ")})`}
              </td>
              <td class="right figure">${span(clock.value - model.since)}</td>
              <td class="right figure">${model.load_ms === null ? "–" : span(model.load_ms)}</td>
              <td>
                ${model.problem?.message ?? (model.failures > 0 ? `${model.failures} loads failed` : "")}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Rates() {
  if (rates.value.size === 0) return null;
  return html`<p class="rates">
    ${[...rates.value].map(
      ([model, rate]) =>
        html`<span
          ><span class="mono">${model}</span> <b class="figure">${rate.toFixed(1)}</b> tokens/s</span
        >`,
    )}
    <span class="muted">written over the last minute</span>
  </p>`;
}

export function GpuPage() {
  useEffect(watchGpus, []);
  const all = gpus.value;
  return html`<section class="page scroll">
    <header class="toolbar">
      <h1>GPUs and models</h1>
      <${Rates} />
    </header>
    <div class="content">
      ${all === null && html`<p class="loading" role="status">Looking at the GPUs…</p>`}
      ${
        all?.length === 0 &&
        html`<div class="empty">
          <h2>No GPU serves here</h2>
          <p>No model server of this box is known. <code>troupe doctor</code> looks for them.</p>
        </div>`
      }
      ${all?.map(
        (gpu) =>
          html`<section class="gpu" key=${gpu.gpu}>
            <h2>${gpu.gpu}</h2>
            <${Memory} gpu=${gpu} />
            ${gpu.backends.map((lane) => html`<${Lane} key=${`${lane.backend} ${lane.profile}`} lane=${lane} />`)}
            <${Residency} gpu=${gpu} />
          </section>`,
      )}
      ${providers.value !== null && html`<${Providers} providers=${providers.value} />`}
    </div>
  </section>`;
}
