// A task's chart in a real browser, by itself: mounted with the machine that the server gives, clicked and typed on.

import { match } from "node:assert/strict";
import { join } from "node:path";
import { assertClean, type Case, until, untilCount } from "./stage.ts";
import { visit } from "./visit.ts";

const EVENTS = [
  ["spawned", "queued", 0],
  ["running", "waiting_slot", 1_000],
  ["running", "generating", 2_000],
  ["running", "calling_tools", 9_000],
  ["running", "generating", 9_500],
  ["done", null, 14_500],
].map(([state, phase, time], at) => ({
  seq: at + 1,
  cursor: at + 1,
  state,
  phase,
  time,
  type: "turn.started",
}));

/** Runs in the page: loads the component from where the page's own modules lie, and puts it in the page's place. */
const MOUNT = `(async () => {
  const app = document.querySelector('script[type=module]').src.replace(/main\\.js.*$/, "");
  const { TaskChart } = await import(app + "chart/task-chart.js");
  const { render } = await import("preact");
  const { html } = await import("htm/preact");
  window.chartAt = (at) => render(
    html\`<main><h1>Chart</h1>
      <\${TaskChart} definition=\${window.definition} events=\${window.events} at=\${at} now=\${20000} /></main>\`,
    document.body,
  );
  window.chartAt(5);
})()`;

export const CHART_CASE: Case = {
  name: "draws the statechart of the agent, by mouse and by keys",
  async check({ browser, box, pictures }) {
    const tab = await visit(browser, box);
    const { page } = tab;
    await page.getByRole("heading").first().waitFor();
    const { definition } = await box.call<{ definition: unknown }>("GET", "/v1/machines/agent");
    await page.evaluate(
      `window.definition = ${JSON.stringify(definition)}; window.events = ${JSON.stringify(EVENTS)}`,
    );
    await page.evaluate(MOUNT);
    const current = page.locator("[role=button][aria-current=step]");
    match((await current.getAttribute("aria-label")) ?? "", /^generating 7.0s .*, current, visited 2 times/);
    await page.getByRole("button", { name: /^steering/ }).click();
    await page.getByRole("heading", { name: /^steering/ }).waitFor();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /^done/ }).waitFor();
    const states = await page.locator(".chart-state").count();
    await page.getByRole("button", { name: /^running/ }).press("-");
    await until(page, `document.querySelectorAll(".chart-state").length < ${states}`);
    await page.getByRole("button", { name: "Labels" }).click();
    await page.evaluate("window.chartAt(null)");
    await page.getByText("Now done").waitFor();
    await page.getByRole("button", { name: /^waiting slot 1.0s 7 %/ }).click();
    await page.getByRole("heading", { name: /^waiting slot/ }).waitFor();
    await page.screenshot({ path: join(pictures, "statechart.png") });
    await assertClean(tab);
    await tab.close();
  },
};

/** Which stands beside the other: where there is room, both can be read at once. */
const SIDE_BY_SIDE = `(() => {
  const [text, chart] = [".transcript", ".task-machine"].map((name) => document.querySelector(name).getBoundingClientRect());
  return chart.left >= text.right && chart.top < text.bottom;
})()`;

export const CHART_PAGE_CASE: Case = {
  name: "shows a task's statechart beside its transcript, and below it where there is no room",
  async check({ browser, box, pictures }) {
    const { task_id: id } = await box.call<{ task_id: string }>("POST", "/v1/tasks", {
      goal: "Describe src/version.ts",
      toolsets: ["file"],
    });
    const tab = await visit(browser, box, `/task/${id}`);
    const { page } = tab;
    await page.getByText(/^Now done/).waitFor();
    await untilCount(page, "[role=button][aria-current=step]", 1);
    await until(page, "document.querySelectorAll('.voice-model').length > 1");
    await until(page, SIDE_BY_SIDE);
    await page.screenshot({ path: join(pictures, "task-chart.png") });
    await assertClean(tab);
    await page.setViewportSize({ width: 1920, height: 1080 });
    await until(page, SIDE_BY_SIDE);
    await page.screenshot({ path: join(pictures, "task-chart-wide.png") });
    await page.setViewportSize({ width: 700, height: 900 });
    await until(page, `!${SIDE_BY_SIDE}`);
    await page.screenshot({ path: join(pictures, "task-chart-narrow.png") });
    await assertClean(tab);
    await tab.close();
  },
};

export const CHART_PAST_CASE: Case = {
  name: "chart, transcript and tree follow the slider together",
  async check({ browser, box }) {
    const { task_id: root } = await box.call<{ task_id: string }>("POST", "/v1/sessions", {});
    const text = "Do two things at once: Describe src/base/ids.ts; Describe src/base/clock.ts";
    await box.call("POST", `/v1/sessions/${root}/messages`, { text });
    const tab = await visit(browser, box, `/task/${root}`);
    const { page } = tab;
    await untilCount(page, ".task-side .card", 2);
    await untilCount(page, ".task-side .card .tone-done", 2);
    const slider = page.getByRole("slider", { name: "Go back in time" });
    await slider.focus();
    await page.keyboard.press("Home");
    await page.getByText(/^Now queued|^Now waiting input/).waitFor();
    await untilCount(page, ".task-side .card", 0);
    await untilCount(page, ".entry", 0);
    await page.getByRole("link", { name: "Tree" }).click();
    await page.waitForURL(/#\/tree\/\w+\?at=\d+$/);
    await untilCount(page, "[role=treeitem]", 1);
    await assertClean(tab);
    await tab.close();
  },
};
