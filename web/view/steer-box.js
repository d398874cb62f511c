// The box to steer a task: what is written here reaches it at its next turn, or at once.

import { useState } from "preact/hooks";
import { html } from "htm/preact";
import { Composer } from "./composer.js";

/** @param {{ readonly id: string }} props */
export function SteerBox({ id }) {
  const [interrupt, setInterrupt] = useState(false);
  const toggle = (/** @type {Event} */ event) =>
    setInterrupt(/** @type {HTMLInputElement} */ (event.currentTarget).checked);
  return html`<${Composer}
    id="steer"
    path=${`/v1/tasks/${encodeURIComponent(id)}/steer`}
    bodyOf=${(/** @type {string} */ message) => (interrupt ? { message, interrupt } : { message })}
    label="Steer this task"
    placeholder="What should it do differently?"
    button="Steer"
  >
    <label
      ><input type="checkbox" checked=${interrupt} onChange=${toggle} /> at once, in the middle of what it
      writes</label
    >
  <//>`;
}
