// A box for a text that goes to the server: sent once per press, with what went wrong said beside it, and nothing lost. Enter
// sends, Shift and Enter begins a line. It is never locked: a text that is on its way does not hold up the next one's writing.

import { useState } from "preact/hooks";
import { html } from "htm/preact";
import { randomId } from "../browser.js";
import { api } from "../server.js";

/**
 * @typedef {object} ComposerProps
 * @property {string} [id]
 * @property {string} path Where the text is posted to.
 * @property {(text: string) => unknown} bodyOf
 * @property {string} label For those who do not see the placeholder.
 * @property {string} placeholder
 * @property {string} button
 * @property {unknown} [children] What stands beside the button.
 */

/** @param {ComposerProps} props */
export function Composer({ id, path, bodyOf, label, placeholder, button, children }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  // The same text is the same message however often the button is pressed until one got through.
  const [key, setKey] = useState(randomId);
  const send = async () => {
    if (text.trim() === "" || isBusy) return;
    setBusy(true);
    try {
      await api.post(path, bodyOf(text), key);
      setText((now) => (now === text ? "" : now));
      setProblem("");
      setKey(randomId());
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void send();
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  };
  return html`<form class="composer" onSubmit=${submit}>
    <textarea
      id=${id}
      rows="2"
      placeholder=${placeholder}
      aria-label=${label}
      value=${text}
      onInput=${(/** @type {InputEvent} */ event) =>
        setText(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)}
      onKeyDown=${press}
    ></textarea>
    <div class="composer-foot">
      ${children}
      <span class="problem" role="alert">${problem}</span>
      <button type="submit" class="primary" disabled=${isBusy || text.trim() === ""}>${button}</button>
    </div>
  </form>`;
}
