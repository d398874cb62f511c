// Cancelling a task with everything below it: asked for once, and once more before it is done.

import { useState } from "preact/hooks";
import { html } from "htm/preact";
import { api } from "../server.js";

/** @param {{ readonly id: string }} props */
export function CancelBox({ id }) {
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState("");
  const cancel = async (/** @type {boolean} */ force) => {
    try {
      await api.post(`/v1/tasks/${encodeURIComponent(id)}/cancel`, force ? { force } : {});
      setAsking(false);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  if (!isAsking)
    return html`<button type="button" class="danger" onClick=${() => setAsking(true)}>Cancel…</button>`;
  return html`<span class="asking" role="group" aria-label="Cancel this task">
    <span>It and everything below it ends.</span>
    <button type="button" class="danger solid" autofocus onClick=${() => void cancel(false)}>
      Cancel it
    </button>
    <button
      type="button"
      class="danger"
      title="Does not wait for it to let go"
      onClick=${() => void cancel(true)}
    >
      Force
    </button>
    <button type="button" onClick=${() => setAsking(false)}>Keep it</button>
    <span class="problem" role="alert">${problem}</span>
  </span>`;
}
