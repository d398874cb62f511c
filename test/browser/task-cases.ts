// A task from its goal to its end, by clicks and keys: made, watched, steered, cancelled, and looked back at.

import { equal, match } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { entriesOf } from "../../web/model/conversation.js";
import type { Box } from "./box.ts";
import { assertClean, type Case, goTo, mainText, picture, until, untilCount } from "./stage.ts";
import { visit } from "./visit.ts";

const LONG = "Review src/runtime, src/config and src/toolsets";

/** A task that has ended, and its end read. */
async function doneTask(box: Box): Promise<string> {
  const goal = "Describe src/version.ts";
  const { task_id: id } = await box.call<{ task_id: string }>("POST", "/v1/tasks", {
    goal,
    toolsets: ["file"],
  });
  for (;;) {
    const { state } = await box.call<{ state: string }>("GET", `/v1/tasks/${id}`);
    if (state === "done") return id;
    await delay(100);
  }
}

export const TASK_CASES: readonly Case[] = [
  {
    name: "a task is made with the keyboard, streams, takes a steer with a receipt, and ends",
    async check(stage) {
      const tab = await visit(stage.browser, stage.box);
      const { page } = tab;
      await page.getByRole("heading", { name: "Tasks" }).waitFor();
      await page.keyboard.press("n");
      await page.getByLabel("Goal").fill(LONG);
      await page.getByLabel("Toolsets").fill("file");
      await picture(tab, stage, "new");
      await page.getByRole("button", { name: "Start it" }).click();
      await page.getByRole("heading", { name: LONG }).waitFor();
      await until(page, "document.querySelectorAll('.entry').length >= 2");
      await page.keyboard.press("s");
      await page.keyboard.type("look only at src/config/load.ts");
      await page.keyboard.press("Enter");
      await page.getByText(/delivered, turn \d+ reads it/).waitFor();
      await until(page, "document.querySelector('.facts .tone-done') !== null");
      match(await mainText(page), /you|steer/);
      await picture(tab, stage, "task");
      await tab.close();
    },
  },
  {
    name: "a slider goes back over a task's events, its address leads there again, and Escape back to now",
    async check(stage) {
      const id = await doneTask(stage.box);
      const tab = await visit(stage.browser, stage.box, `/task/${id}`);
      const { page } = tab;
      const slider = page.getByRole("slider", { name: "Go back in time" });
      await slider.waitFor();
      const { items } = await stage.box.call<{ items: Parameters<typeof entriesOf>[0] }>(
        "GET",
        `/v1/tasks/${id}/transcript`,
      );
      const all = entriesOf(items).length;
      await untilCount(page, ".entry", all);
      await slider.focus();
      await page.keyboard.press("Home");
      await page.getByText("back to now").waitFor();
      await until(page, "document.querySelector('.facts').innerText.includes('queued')");
      await until(page, `document.querySelectorAll(".entry").length < ${all}`);
      await page.keyboard.press("PageUp");
      await page.waitForURL(/\?at=\d+$/);
      await picture(tab, stage, "past");
      const address = page.url();
      await page.reload();
      await page.getByText("back to now").waitFor();
      equal(page.url(), address);
      await page.keyboard.press("Escape");
      await until(page, "document.querySelector('.facts .tone-done') !== null");
      await untilCount(page, ".entry", all);
      equal(page.url(), address.replace(/\?.*/, ""));
      await assertClean(tab);
      await tab.close();
    },
  },
  {
    name: "a task is cancelled, after a second word",
    async check(stage) {
      const { task_id: id } = await stage.box.call<{ task_id: string }>("POST", "/v1/tasks", {
        goal: LONG,
        toolsets: ["file"],
      });
      const tab = await visit(stage.browser, stage.box, `/task/${id}`);
      const { page } = tab;
      await page.getByRole("button", { name: "Cancel…" }).click();
      await page.getByRole("button", { name: "Cancel it" }).click();
      await until(page, "document.querySelector('.facts .tone-cancelled') !== null");
      await page.getByLabel("Steer this task").waitFor({ state: "hidden" });
      await assertClean(tab);
      await tab.close();
    },
  },
  {
    name: "a task that is not there is said so",
    async check(stage) {
      const tab = await visit(stage.browser, stage.box, "/task/task_0");
      await tab.page.getByRole("heading", { name: "This task cannot be shown" }).waitFor();
      await goTo(tab.page, "#/nowhere");
      await tab.page.getByRole("heading", { name: "Tasks" }).waitFor();
      await tab.close();
    },
  },
];
