// All keys, on one page.

import { useEffect, useRef } from "preact/hooks";
import { html } from "htm/preact";
import { isHelpOpen } from "../keys.js";

/** @type {readonly (readonly [group: string, keys: readonly (readonly [key: string, what: string])[]])[]} */
const KEYS = [
  [
    "Anywhere",
    [
      ["1 2 3 4", "Tasks, Needs you, GPUs and models, Conversations"],
      ["n", "New task"],
      ["?", "these keys"],
      ["Esc", "back; out of a field"],
    ],
  ],
  [
    "Tasks",
    [
      ["j k", "down, up"],
      ["Enter", "open"],
      ["h l", "fold, unfold"],
      ["/", "filter"],
    ],
  ],
  [
    "A task",
    [
      ["s", "write to it"],
      ["[ ]", "an event back, an event forward"],
      ["p", "its parent"],
    ],
  ],
];

export function HelpDialog() {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const isOpen = isHelpOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return html`<dialog ref=${dialog} aria-label="Keys" onClose=${() => (isHelpOpen.value = false)}>
    ${
      isOpen &&
      html`<h2>Keys</h2>
        ${KEYS.map(
          ([group, keys]) =>
            html`<h3>${group}</h3>
              <dl>
                ${keys.map(
                  ([key, what]) =>
                    html`<div>
                      <dt>${key.split(" ").map((one) => html`<kbd>${one}</kbd> `)}</dt>
                      <dd>${what}</dd>
                    </div>`,
                )}
              </dl>`,
        )}
        <form method="dialog"><button type="submit">Close</button></form>`
    }
  </dialog>`;
}
