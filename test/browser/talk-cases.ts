// Conversations with their children, tasks that ask, and what models may write.

import { deepEqual, equal, ok } from "node:assert/strict";
import { call, say } from "../../providers/script.ts";
import type { Toolset } from "../../src/core/tool.ts";
import { startRecording } from "./box.ts";
import { onCannedBox, onScriptedBox } from "./canned-box.ts";
import { assertClean, type Case, goTo, picture, until, untilCount } from "./stage.ts";
import { visit } from "./visit.ts";

/** What a page could obey if it took text for anything else. */
const HOSTILE = [
  "<img src=x onerror=\"document.title='owned'\">",
  "<script>document.title='owned'</script>",
  "\u001b[31mred\u001b[0m \u001b]0;owned\u0007 \u001b]8;;http://evil.test\u001b\\link",
  "file\u202egpj.exe",
  "[a](javascript:alert(1)) ![b](http://evil.test/x.png)",
].join("\n");

/** What a tool does that asks before it acts: the call waits for a person, whatever happens to the server meanwhile. */
const ASKING: Toolset = {
  name: "asking",
  description: "Asks.",
  tools: () => [
    {
      definition: { name: "remove", description: "Removes files.", parameters: { type: "object" } },
      repeatable: true,
      run: async () => ({ type: "suspended", wait: { for: "input", prompt: "Shall I remove 12 files?" } }),
      resume: async (_, { end }) => ({ type: "result", value: "answer" in end ? end.answer : end.cause }),
    },
  ],
};

export const TALK_CASES: readonly Case[] = [
  {
    name: "a recording is looked at in the dashboard, event by event, and nothing can be done with it",
    async check(stage) {
      const { box } = stage;
      const { task_id: root } = await box.call<{ task_id: string }>("POST", "/v1/sessions", {});
      const text = "Do two things at once: Describe src/base/ids.ts; Describe src/base/clock.ts";
      await box.call("POST", `/v1/sessions/${root}/messages`, { text });
      const watched = await visit(stage.browser, box, `/task/${root}`);
      await untilCount(watched.page, ".task-side .card .tone-done", 2);
      await watched.close();
      const recording = await startRecording(box, root);
      try {
        const tab = await visit(stage.browser, recording, `/tree/${root}`);
        const { page } = tab;
        await page.getByText("a recording").waitFor();
        await untilCount(page, ".live-live", 0);
        await untilCount(page, "[role=treeitem]", 3);
        const slider = page.getByRole("slider", { name: "Go back in time" });
        await slider.focus();
        await page.keyboard.press("Home");
        await untilCount(page, "[role=treeitem]", 1);
        await page.getByRole("button", { name: "back to now" }).click();
        await picture(tab, stage, "recording");
        await page.getByRole("treeitem", { name: /Describe src\/base\/ids/ }).click();
        await page
          .getByText(/Report by rule/)
          .first()
          .waitFor();
        await page.getByText(/^Now done/).waitFor();
        await assertClean(tab);
        await goTo(page, "#/new");
        await page.getByLabel("Goal").fill("anything");
        await page.getByRole("button", { name: "Start it" }).click();
        await page
          .getByText(/This is a recording/)
          .first()
          .waitFor();
        await tab.close();
      } finally {
        await recording.stop();
      }
    },
  },
  {
    name: "a conversation shows the children that it started, and takes words while they run",
    async check(stage) {
      const tab = await visit(stage.browser, stage.box, "/chat");
      const { page } = tab;
      await page.getByRole("button", { name: "New conversation" }).click();
      const field = page.getByLabel("Message");
      await field.waitFor();
      await field.fill(
        "Do two things at once: Review src/http, src/base and machines; Review src/scheduler and src/store",
      );
      await field.press("Enter");
      await untilCount(page, ".transcript .card", 2);
      equal(await field.isDisabled(), false);
      await field.fill("While they work: what is 17 * 23?");
      await field.press("Enter");
      await page.getByText(/= 391/).first().waitFor();
      await until(page, "document.querySelectorAll('.transcript .card.living').length > 0");
      await picture(tab, stage, "chat");
      await page.locator(".transcript .card").first().click();
      await page.waitForURL(/#\/task\//);
      await page.getByRole("heading", { name: /src\/http/ }).waitFor();
      await tab.close();
    },
  },
  {
    name: "a task that asks is answered where it stands",
    async check(stage) {
      await onCannedBox(stage.browser, async (api, open) => {
        const { taskId } = await api.delegate({ goal: "Delete the old backups" });
        const tab = await open("/inbox");
        const { page } = tab;
        await page.getByText("Nobody asks").waitFor();
        api.say(taskId, "May I delete 12 files?", true);
        const field = page.getByLabel(/Answer: Delete the old/);
        await field.waitFor();
        await until(page, "document.querySelector('.badge')?.innerText === '1'");
        await picture(tab, stage, "inbox");
        await field.fill("Only those older than a year");
        await page.getByRole("button", { name: "Answer" }).click();
        await until(page, "document.querySelector('.asks textarea').value === ''");
        const view = await api.check(taskId);
        equal(view.steers.length, 1);
        api.finish(taskId, "Deleted 3 files.");
        await page.getByText("Nobody asks").waitFor();
        await tab.close();
      });
    },
  },
  {
    name: "the question of a real task's tool is answered, and the task goes on with the answer",
    async check(stage) {
      const reply = ({ messages }: { readonly messages: readonly { readonly role: string }[] }) =>
        messages.some(({ role }) => role === "tool") ? [say("As you said.")] : [call("remove", {})];
      await onScriptedBox(stage.browser, { toolsets: [ASKING], reply }, async (api, open) => {
        const { taskId } = await api.delegate({ goal: "Clean up", toolsets: ["asking"] });
        const tab = await open("/inbox");
        const { page } = tab;
        await page.getByText("Shall I remove 12 files?").waitFor();
        await page.getByLabel(/Answer: Clean up/).fill("Only one");
        await page.getByRole("button", { name: "Answer" }).click();
        await page.getByText("Nobody asks").waitFor();
        await goTo(page, `#/task/${taskId}`);
        await page.getByText("As you said.").waitFor();
        await page.locator(".tool summary").first().click();
        await page.getByText("Only one").first().waitFor();
        await until(page, "document.querySelector('.facts .tone-done') !== null");
        await assertClean(tab);
      });
    },
  },
  {
    name: "output of a model is text, whatever it says and however long it is",
    async check(stage) {
      await onCannedBox(stage.browser, async (api, open) => {
        const { taskId } = await api.delegate({ goal: `Goal ${HOSTILE}` });
        api.say(taskId, HOSTILE);
        const tab = await open(`/task/${taskId}`);
        const { page } = tab;
        await untilCount(page, ".entry", 2);
        api.log.delta({ kind: "delta", taskId, channel: "text", text: `being written ${HOSTILE}` });
        await page.getByText(/being written <img/).waitFor();
        const text = await page.locator(".transcript").innerText();
        ok(text.includes('<img src=x onerror="'), "markup is shown");
        ok(
          text.includes("[ESC][31mred[ESC][0m") && text.includes("[right-to-left override]"),
          "marks are shown",
        );
        equal(await page.locator(".transcript img, .transcript script, .transcript a").count(), 0);
        equal(await page.title(), "Troupe");
        await picture(tab, stage, "hostile");
        api.finish(taskId, "x".repeat(10_000_000));
        await page.getByText(/10\.0 MB more: show the next 20\.0 kB/).waitFor();
        ok((await page.locator(".transcript").innerText()).length < 100_000);
        await page.getByRole("button", { name: /10\.0 MB more/ }).click();
        await page.getByText(/more: show the next/).waitFor();
        deepEqual(tab.strayed, []);
        await assertClean(tab);
        await tab.close();
      });
    },
  },
];
