// Conversations: one after the other, and one by itself with its children inline. The field is never locked: what is written
// while children run reaches the agent at once.

import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { html } from "htm/preact";
import { clock, currentForest, isLoaded, revision } from "../box.js";
import { randomId } from "../browser.js";
import { takeKeys } from "../keys.js";
import { entriesOf } from "../model/conversation.js";
import { hashOf } from "../model/route.js";
import { isOver, shortId, span } from "../model/words.js";
import { goTo, place } from "../place.js";
import { api } from "../server.js";
import { Composer } from "./composer.js";
import { StateWords } from "./state-mark.js";
import { useTaskData } from "./task-page.js";
import { Transcript } from "./transcript.js";

/** @typedef {import("../task-data.js").TaskView} TaskView */

function StartButton() {
  const [problem, setProblem] = useState("");
  const start = async () => {
    try {
      /** @type {TaskView} */
      const session = await api.post("/v1/sessions", {}, randomId());
      goTo({ page: "chat", id: session.task_id });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return html`<span>
    <button type="button" class="primary" onClick=${() => void start()}>New conversation</button>
    <span class="problem" role="alert">${problem}</span>
  </span>`;
}

function Conversations() {
  void revision.value;
  const sessions = [...currentForest().items.values()]
    .filter((item) => item.kind === "session")
    .toSorted((a, b) => b.createdAt - a.createdAt);
  return html`<section class="page scroll">
    <header class="toolbar">
      <h1>Conversations</h1>
      <${StartButton} />
    </header>
    <div class="content">
      ${
        sessions.length === 0 &&
        html`<div class="empty">
          <h2>${isLoaded.value ? "No conversation yet" : "Reading the tasks…"}</h2>
          <p>An agent that you talk with can give work to children and goes on talking while they work.</p>
        </div>`
      }
      ${sessions.map(
        (item) =>
          html`<a class="card wide-card" key=${item.id} href=${hashOf({ page: "chat", id: item.id })}>
            <span class="card-head">
              <${StateWords} state=${item.state} phase=${item.phase} kind=${item.kind} />
              <span class="muted">${item.children.length} children</span>
              <span class="figure muted">${span(clock.value - item.createdAt)} old</span>
              <span class="id">${shortId(item.id)}</span>
            </span>
          </a>`,
      )}
    </div>
  </section>`;
}

/** @param {{ readonly id: string }} props */
function Field({ id }) {
  useLayoutEffect(
    () =>
      takeKeys({ s: () => document.getElementById("say")?.focus(), Escape: () => goTo({ page: "chat" }) }),
    [],
  );
  return html`<${Composer}
    id="say"
    path=${`/v1/sessions/${encodeURIComponent(id)}/messages`}
    bodyOf=${(/** @type {string} */ text) => ({ text })}
    label="Message"
    placeholder="Say something. Enter sends."
    button="Send"
  />`;
}

/** @param {{ readonly id: string }} props */
function Conversation({ id }) {
  const data = useTaskData(id);
  const entries = useMemo(() => entriesOf(data.rows.value), [data.rows.value]);
  const view = data.view.value;
  const stop = () => void api.post(`/v1/sessions/${encodeURIComponent(id)}/stop`, {}).catch(() => {});
  if (view === null && data.problem.value !== "") {
    return html`<section class="page">
      <div class="empty" role="alert">
        <h2>This conversation cannot be shown</h2>
        <p>${data.problem}</p>
      </div>
    </section>`;
  }
  return html`<section class="page chat">
    <header class="toolbar">
      <h1>Conversation</h1>
      ${view !== null && html`<${StateWords} state=${view.state} phase=${view.phase} kind=${view.kind} />`}
      <span class="mono muted">${view === null ? "" : `${view.model.provider}/${view.model.model}`}</span>
      <a class="button" href=${hashOf({ page: "task", id })}>Details</a>
      <button type="button" title="Ends what the agent is doing, and its children" onClick=${stop}>
        Stop
      </button>
    </header>
    <${Transcript}
      id=${id}
      entries=${entries}
      isPast=${false}
      isOver=${view !== null && isOver(view.state)}
    />
    ${
      view !== null && isOver(view.state)
        ? html`<p class="loading">This conversation is closed.</p>`
        : html`<${Field} id=${id} />`
    }
  </section>`;
}

export function ChatPage() {
  const { id } = place.value;
  return id === null ? html`<${Conversations} />` : html`<${Conversation} key=${id} id=${id} />`;
}
