// A new task: a goal is all that it needs; the rest is what the server would choose by itself.

import { useEffect, useState } from "preact/hooks";
import { html } from "htm/preact";
import { lookAtGpus, providers } from "../box.js";
import { randomId } from "../browser.js";
import { goTo } from "../place.js";
import { api } from "../server.js";

/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/api.ts").TaskHandle>} TaskHandle */

/** Fields that are left out of the request while they are empty. */
const OPTIONAL = ["context", "agent", "model", "role", "workspace", "scheduling_class"];

/**
 * @param {FormData} form
 * @returns {Record<string, unknown>}
 */
function requestOf(form) {
  const text = (/** @type {string} */ name) => {
    const value = form.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  /** @type {Record<string, unknown>} */
  const request = { goal: text("goal") };
  for (const name of OPTIONAL) if (text(name) !== "") request[name] = text(name);
  const toolsets = text("toolsets")
    .split(/[\s,]+/)
    .filter(Boolean);
  if (toolsets.length > 0) request["toolsets"] = toolsets;
  const tokens = Number(text("tokens"));
  if (tokens > 0) request["budget"] = { tokens };
  return request;
}

/** @param {{ readonly name: string, readonly label: string, readonly hint?: string, readonly list?: string, readonly type?: string }} props */
function Field({ name, label, hint = "", list, type = "text" }) {
  return html`<label class="field-row">
    <span>${label}</span>
    <input
      name=${name}
      type=${type}
      list=${list}
      placeholder=${hint}
      autocomplete="off"
      min=${type === "number" ? "1" : undefined}
    />
  </label>`;
}

/** What most tasks leave to the server. */
function More() {
  return html`<details>
    <summary>More</summary>
    <${Field} name="agent" label="Agent" hint="a name under agents: of the config" />
    <label class="field-row"
      ><span>Role</span
      ><select name="role">
        <option value="">as configured</option>
        <option value="leaf">leaf: works alone</option>
        <option value="orchestrator">orchestrator: may delegate</option>
      </select></label
    >
    <label class="field-row"
      ><span>Class</span
      ><select name="scheduling_class">
        <option value="">as configured</option>
        <option>background</option>
        <option>batch</option>
        <option>interactive</option>
      </select></label
    >
    <${Field} name="workspace" label="Folder" hint="below the workspace of the server" />
    <${Field} name="tokens" label="Token budget" hint="no limit" type="number" />
  </details>`;
}

export function NewPage() {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [key, setKey] = useState(randomId);
  useEffect(() => void lookAtGpus(true), []);
  const models = (providers.value ?? []).flatMap((provider) =>
    provider.models.map((model) => `${provider.provider}/${model.model}`),
  );
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    setBusy(true);
    try {
      /** @type {TaskHandle} */
      const handle = await api.post(
        "/v1/tasks",
        requestOf(new FormData(/** @type {HTMLFormElement} */ (event.target))),
        key,
      );
      goTo({ page: "task", id: handle.task_id });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      // What is changed and sent again is another request.
      setKey(randomId());
    } finally {
      setBusy(false);
    }
  };
  return html`<section class="page scroll">
    <header class="toolbar"><h1>New task</h1></header>
    <form class="content new" onSubmit=${submit}>
      <label class="field-row tall"
        ><span>Goal</span
        ><textarea
          name="goal"
          rows="4"
          required
          autofocus
          placeholder="What should be reached, and what should the answer hold?"
        ></textarea>
      </label>
      <label class="field-row tall"
        ><span>Context</span
        ><textarea
          name="context"
          rows="3"
          placeholder="All that it has to know: it sees nothing else"
        ></textarea>
      </label>
      <${Field} name="toolsets" label="Toolsets" hint="file" />
      <${Field} name="model" label="Model" hint="the server's choice" list="models" />
      <datalist id="models">${models.map((model) => html`<option value=${model}></option>`)}</datalist>
      <${More} />
      <p class="problem" role="alert">${problem}</p>
      <p><button type="submit" class="primary" disabled=${isBusy}>Start it</button></p>
    </form>
  </section>`;
}
