// Where the page begins: the token out of the address, then the page into the document.

import { html, render } from "htm/preact";
import { takeToken } from "./access.js";
import { App } from "./view/app.js";

takeToken();
addEventListener("hashchange", takeToken);
const root = document.getElementById("app");
if (root !== null) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
