// The list of tasks, the GPUs and the way around, with keys.

import { match, ok } from "node:assert/strict";
import { onCannedBox } from "./canned-box.ts";
import { assertClean, type Case, picture, untilCount } from "./stage.ts";
import { visit } from "./visit.ts";

export const LIST_CASES: readonly Case[] = [
  {
    name: "the tree is walked, folded, filtered and opened with keys",
    async check(stage) {
      const { box } = stage;
      const session = await box.call<{ task_id: string }>("POST", "/v1/sessions", {});
      const text = "Do three things at once: List the files of src/core; Describe src/base; Review src/store";
      await box.call("POST", `/v1/sessions/${session.task_id}/messages`, { text });
      const tab = await visit(stage.browser, box);
      const { page } = tab;
      await page.getByRole("treeitem", { name: /Review src\/store/ }).waitFor();
      await untilCount(page, "[role=treeitem][aria-level='2']", 3);
      await page.getByRole("list", { name: "Colours of the timeline" }).waitFor();
      await picture(tab, stage, "tree");
      const all = await page.getByRole("treeitem").count();
      await page.keyboard.press("j");
      await page.keyboard.press("j");
      await page.keyboard.press("k");
      await untilCount(page, "[aria-selected=true]", 1);
      await page.keyboard.press("Home");
      await page.keyboard.press("h");
      await untilCount(page, "[role=treeitem]", all - 3);
      await page.keyboard.press("l");
      await untilCount(page, "[role=treeitem]", all);
      await page.keyboard.press("/");
      await page.keyboard.type("review store");
      await untilCount(page, "[role=treeitem]", 2);
      match(page.url(), /q=review/);
      await page.keyboard.type(" nonsense");
      await page.getByText("No task is like that").waitFor();
      await assertClean(tab);
      await page.getByRole("button", { name: "Show all" }).click();
      await page.keyboard.press("Home");
      await page.keyboard.press("Enter");
      await page.waitForURL(/#\/(chat|task)\//);
      await tab.close();
    },
  },
  {
    name: "a tree alone goes back to the time when it had no children",
    async check(stage) {
      const { box } = stage;
      const { task_id: root } = await box.call<{ task_id: string }>("POST", "/v1/sessions", {});
      const text = "Do two things at once: Describe src/base/ids.ts; Describe src/base/clock.ts";
      await box.call("POST", `/v1/sessions/${root}/messages`, { text });
      const tab = await visit(stage.browser, box, `/tree/${root}`);
      const { page } = tab;
      const slider = page.getByRole("slider", { name: "Go back in time" });
      await slider.waitFor();
      await untilCount(page, "[role=treeitem]", 3);
      await slider.focus();
      await page.keyboard.press("Home");
      await untilCount(page, "[role=treeitem]", 1);
      match(page.url(), /#\/tree\/\w+\?at=\d+$/);
      await assertClean(tab);
      await page.getByRole("button", { name: "back to now" }).click();
      await untilCount(page, "[role=treeitem]", 3);
      await tab.close();
    },
  },
  {
    name: "GPUs show who holds and who waits, and why",
    async check(stage) {
      // Long ones: they are still at it when a slow browser has the page.
      const goals = ["src/cli", "src/config", "src/core", "src/http", "src/runtime", "src/store"];
      for (const folder of goals) {
        const goal = `Review ${folder}, src/base and machines`;
        await stage.box.call("POST", "/v1/tasks", { goal, toolsets: ["file"] });
      }
      const tab = await visit(stage.browser, stage.box, "/gpus");
      await tab.page.locator(".slot.held").first().waitFor();
      await tab.page.locator("caption", { hasText: /wait/ }).first().waitFor();
      await picture(tab, stage, "gpus");
      await tab.close();
    },
  },
  {
    name: "the keys of the pages and the list of keys",
    async check(stage) {
      const tab = await visit(stage.browser, stage.box);
      const { page } = tab;
      await page.getByRole("heading", { name: "Tasks" }).waitFor();
      for (const [key, heading] of [
        ["2", "Needs you"],
        ["3", "GPUs and models"],
        ["4", "Conversations"],
        ["1", "Tasks"],
      ] as const) {
        await page.keyboard.press(key);
        await page.getByRole("heading", { name: heading, exact: true }).waitFor();
      }
      await page.keyboard.press("?");
      await page.getByRole("heading", { name: "Keys" }).waitFor();
      await picture(tab, stage, "keys");
      await page.keyboard.press("Escape");
      await page.getByRole("heading", { name: "Keys" }).waitFor({ state: "hidden" });
      await tab.close();
    },
  },
  {
    name: "ten thousand tasks are as many rows as fit on the screen",
    async check({ browser }) {
      await onCannedBox(browser, async (api, open) => {
        let parentId = "";
        for (let at = 0; at < 10_000; at += 1) {
          const root = at % 50 === 0;
          const { taskId } = await api.delegate({ goal: `task number ${at}`, ...(root ? {} : { parentId }) });
          if (root) parentId = taskId;
        }
        const tab = await open();
        const { page } = tab;
        await page.getByRole("button", { name: /All 10\.0k|All 10000/ }).waitFor();
        await page.getByRole("treeitem").first().waitFor();
        ok((await page.getByRole("treeitem").count()) < 60);
        await page.getByRole("tree").focus();
        await page.keyboard.press("End");
        await page.getByRole("treeitem", { name: /task number 49\b/ }).waitFor();
        const slowest = await page.evaluate<number>(SCROLL);
        process.stdout.write(
          `      slowest of 60 pictures while scrolling through 10,000 tasks: ${Math.round(slowest)} ms\n`,
        );
        await page.getByLabel(/Filter/).fill("number 9876");
        await page.getByRole("treeitem", { name: /task number 9876/ }).waitFor();
        await tab.close();
      });
    },
  },
];

/** Scrolls for sixty pictures; answers with the longest time between two of them. */
const SCROLL = `new Promise((done) => {
  const list = document.querySelector('.list');
  let left = 60, last = performance.now(), slowest = 0;
  const step = (now) => {
    slowest = Math.max(slowest, now - last);
    last = now;
    list.scrollTop = (left * 4000) % list.scrollHeight;
    left -= 1;
    if (left > 0) requestAnimationFrame(step); else done(slowest);
  };
  requestAnimationFrame(step);
})`;
