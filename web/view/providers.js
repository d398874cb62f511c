// Model servers and endpoints, their models, and their keys by fingerprint.

import { html } from "htm/preact";
import { clock } from "../box.js";
import { oneLine } from "../model/plain-text.js";
import { bytes, span } from "../model/words.js";

/** @typedef {import("../box.js").ProviderView} ProviderView */

/** @param {{ readonly provider: ProviderView }} props */
function Keys({ provider }) {
  if (provider.keys.length === 0) return null;
  return html`<div class="wide">
    <table>
      <caption>
        Keys
      </caption>
      <thead>
        <tr>
          <th>Key</th>
          <th>From</th>
          <th>Is</th>
          <th class="right">In use</th>
          <th>Why</th>
          <th class="right">Again in</th>
        </tr>
      </thead>
      <tbody>
        ${provider.keys.map(
          (key) =>
            html`<tr>
              <td class="mono">${key.fingerprint ?? "unreadable"}</td>
              <td class="mono">${key.source}</td>
              <td>
                <span class=${`stay ${key.state === "ready" ? "resident" : "absent"}`}
                  >${key.state.replaceAll("_", " ")}</span
                >
              </td>
              <td class="right figure">
                ${key.in_flight}${key.concurrency === null ? "" : `/${key.concurrency}`}
              </td>
              <td>${oneLine(key.reason ?? "", 160)}</td>
              <td class="right figure">${key.until === null ? "–" : span(key.until - clock.value)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {{ readonly provider: ProviderView }} props */
function Models({ provider }) {
  if (provider.models.length === 0) return html`<p class="muted">No model is known there.</p>`;
  return html`<div class="wide">
    <table>
      <thead>
        <tr>
          <th>Model</th>
          <th class="right">Size</th>
          <th class="right">Parameters</th>
          <th class="right">Context</th>
          <th>Can</th>
        </tr>
      </thead>
      <tbody>
        ${provider.models.map(
          (model) =>
            html`<tr>
              <td class="mono">${model.model}</td>
              <td class="right figure">${model.size_bytes === null ? "–" : bytes(model.size_bytes)}</td>
              <td class="right figure">${model.parameters ?? "–"}</td>
              <td class="right figure">${model.context_tokens ?? "–"}</td>
              <td>
                ${[model.tools && "call tools", model.thinking && "think"].filter(Boolean).join(", ") || "write"}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {{ readonly providers: readonly ProviderView[] }} props */
export function Providers({ providers }) {
  return html`<section class="gpu">
    <h2>Providers</h2>
    ${providers.map(
      (provider) =>
        html`<article class="lane" key=${provider.provider}>
          <header>
            <h3 class="mono">${provider.provider}</h3>
            <span class="muted">${provider.type} at <span class="mono">${provider.base_url}</span></span>
            <span class=${`stay ${provider.reachable ? "resident" : "absent"}`}>
              ${provider.reachable ? `answers${provider.version === null ? "" : `, ${provider.version}`}` : "does not answer"}
            </span>
            ${provider.simulated && html`<span class="simulated">SIMULATED</span>`}
          </header>
          ${provider.problem !== null && html`<p class="problem">${oneLine(provider.problem, 400)}</p>`}
          <${Models} provider=${provider} />
          <${Keys} provider=${provider} />
        </article>`,
    )}
  </section>`;
}
