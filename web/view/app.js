// The whole page: a door for those without a token, and for the others the way around beside the page that the address names.

import { useLayoutEffect } from "preact/hooks";
import { html } from "htm/preact";
import { token } from "../access.js";
import { isHelpOpen, takeKeys } from "../keys.js";
import { goTo, place } from "../place.js";
import { AccessPage } from "./access-page.js";
import { ChatPage } from "./chat-page.js";
import { GpuPage } from "./gpu-page.js";
import { HelpDialog } from "./help-dialog.js";
import { InboxPage } from "./inbox-page.js";
import { NewPage } from "./new-page.js";
import { PAGES, SideBar, StaleNote } from "./side-bar.js";
import { TaskPage } from "./task-page.js";
import { TreePage } from "./tree-page.js";

function Page() {
  const { page, id } = place.value;
  if (page === "task" && id !== null) return html`<${TaskPage} key=${id} id=${id} />`;
  if (page === "chat") return html`<${ChatPage} />`;
  if (page === "gpus") return html`<${GpuPage} />`;
  if (page === "inbox") return html`<${InboxPage} />`;
  if (page === "new") return html`<${NewPage} />`;
  return html`<${TreePage} />`;
}

function Frame() {
  // With the first picture: a key that is pressed as soon as the page is seen is not lost.
  useLayoutEffect(() => {
    const keys = {
      ...Object.fromEntries(PAGES.map(([page, , key]) => [key, () => goTo({ page })])),
      "?": () => (isHelpOpen.value = true),
      Escape: () => goTo({}),
    };
    return takeKeys(keys, true);
  }, []);
  return html`<div class="frame">
    <${SideBar} />
    <main>
      <${StaleNote} />
      <${Page} />
    </main>
    <${HelpDialog} />
  </div>`;
}

export function App() {
  return token.value === null ? html`<${AccessPage} />` : html`<${Frame} />`;
}
