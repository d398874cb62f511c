// Where the page begins: the token out of the address, then the page into the document.

import { html, render } from "htm/preact";
import { takeToken } from "./access.js";
import { startBox } from "./box.js";
import { followKeys } from "./keys.js";
import { followAddress } from "./place.js";
import { followTheme } from "./theme.js";
import { App } from "./view/app.js";

takeToken();
addEventListener("hashchange", takeToken);
followAddress();
followTheme();
followKeys();
startBox();
const root = document.getElementById("app");
if (root !== null) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
