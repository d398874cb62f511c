// What stands there without a token: where it is found, and a field for it. It tries the token by using it.

import { html } from "htm/preact";
import { giveToken, refusal } from "../access.js";
import { tokenIn } from "../model/route.js";

/** A pasted link is as good as the token in it. */
function takeTyped(/** @type {SubmitEvent} */ event) {
  event.preventDefault();
  const field = /** @type {HTMLFormElement} */ (event.currentTarget).elements.namedItem("token");
  const typed = field instanceof HTMLInputElement ? field.value.trim() : "";
  const text = tokenIn(typed.slice(Math.max(0, typed.indexOf("#")))).token ?? typed;
  if (text !== "") giveToken(text);
}

export function AccessPage() {
  return html`<main class="access">
    <h1>Troupe</h1>
    <p>
      This page holds no data until you show that the server is yours. Open the link that${" "}
      <code>troupe serve</code> printed, or paste the token: it lies in the file that the same command named.
    </p>
    <form onSubmit=${takeTyped}>
      <label for="token">Token or link</label>
      <div class="field">
        <input id="token" name="token" type="password" autocomplete="off" autofocus required />
        <button type="submit">Open</button>
      </div>
    </form>
    <p class="problem" role="alert">${refusal}</p>
    <pre>cat ~/.config/troupe/token</pre>
  </main>`;
}
