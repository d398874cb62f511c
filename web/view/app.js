// The whole page: a door for those without a token, and the box in a few figures for the others.

import { effect, signal } from "@preact/signals";
import { html } from "htm/preact";
import { token } from "../access.js";
import { ApiError } from "../api.js";
import { api } from "../server.js";
import { AccessPage } from "./access-page.js";

/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/box-api.ts").BoxStatus>} Status */

const status = signal(/** @type {Status | null} */ (null));
const problem = signal("");

effect(() => {
  if (token.value !== null) void readStatus();
});

async function readStatus() {
  try {
    status.value = await api.get("/v1/status");
    problem.value = "";
  } catch (error) {
    problem.value = error instanceof ApiError ? error.message : String(error);
  }
}

export function App() {
  if (token.value === null) return html`<${AccessPage} />`;
  const { value } = status;
  if (value === null) return html`<main class="access"><p class="problem" role="alert">${problem}</p></main>`;
  const counts = Object.entries(value.tasks).map(([state, count]) => html`<li>${count} ${state}</li>`);
  return html`<main class="access">
    <h1>Troupe ${value.version}</h1>
    <p>
      ${value.simulated ? "SIMULATED: the models of this server are rules. " : ""}${value.paused ? "Paused." : ""}
    </p>
    <ul>
      ${counts}
    </ul>
  </main>`;
}
