// The way in, what the page weighs, and what it says when the server is gone.

import { deepEqual, equal, ok } from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Box, startBox } from "./box.ts";
import { assertClean, type Case, until, untilCount } from "./stage.ts";
import { visit } from "./visit.ts";

const MOST_SCRIPT_BYTES = 120_000;
const FIRST_PAINT_MS = 1_000;

export const DOOR_CASES: readonly Case[] = [
  {
    name: "opens with the token of the link, and takes it out of the address",
    async check({ browser, box }) {
      const tab = await visit(browser, box);
      await tab.page.getByRole("heading", { name: "Tasks" }).waitFor();
      await until(tab.page, "document.querySelector('.live-live') !== null");
      equal(tab.page.url(), `${box.url}/#/`);
      await tab.page.getByText(/SIMULATED/).waitFor();
      await assertClean(tab);
      await tab.close();
    },
  },
  {
    name: "asks for the token where there is none, and says when it is wrong",
    async check({ browser, box, pictures }) {
      const tab = await visit(browser, { ...box, token: "" });
      const field = tab.page.getByLabel(/token/i);
      await field.fill("nonsense");
      await field.press("Enter");
      await tab.page.getByText(/does not know this token/).waitFor();
      await tab.page.screenshot({ path: join(pictures, "access-light.png") });
      await tab.page.getByLabel(/token/i).fill(`${box.url}/#token=${box.token}`);
      await tab.page.getByRole("button", { name: "Open" }).click();
      await tab.page.getByText(/SIMULATED/).waitFor();
      // The refused call itself is an error of the network in the browser's eyes.
      deepEqual(
        tab.errors.filter((text) => !text.includes("401")),
        [],
      );
      await tab.close();
    },
  },
  {
    name: `weighs at most ${MOST_SCRIPT_BYTES / 1000} kB of script on the first page and paints within ${FIRST_PAINT_MS / 1000} s`,
    async check({ browser, box }) {
      const tab = await visit(browser, box);
      await tab.page.getByRole("heading", { name: "Tasks" }).waitFor();
      await until(tab.page, "performance.getEntriesByName('first-contentful-paint').length > 0");
      const urls = await tab.page.evaluate<readonly string[]>(
        "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.endsWith('.js'))",
      );
      const texts = await Promise.all(
        urls.map(async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer())),
      );
      const bytes = texts.reduce((sum, text) => sum + gzipSync(text).byteLength, 0);
      const paint = await tab.page.evaluate<number>(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime",
      );
      process.stdout.write(
        `      ${urls.length} modules, ${(bytes / 1000).toFixed(1)} kB gzipped; first contentful paint ${Math.round(paint)} ms\n`,
      );
      ok(urls.length > 10, `only ${urls.length} modules`);
      ok(bytes <= MOST_SCRIPT_BYTES, `${bytes} bytes of script`);
      ok(paint <= FIRST_PAINT_MS, `first paint after ${paint} ms`);
      await tab.close();
    },
  },
  {
    name: "never looks live when the server is gone, and goes on by itself when it is back",
    async check(stage) {
      const first = await startBox();
      let again: Box | null = null;
      try {
        const tab = await visit(stage.browser, first);
        const { page } = tab;
        await page.locator(".live-live").waitFor();
        await first.kill();
        await page.getByText(/The connection is broken/).waitFor();
        await untilCount(page, ".live-live", 0);
        await page.screenshot({ path: join(stage.pictures, "reconnecting-light.png") });
        again = await startBox({ port: Number(new URL(first.url).port), home: first.home });
        await again.call("POST", "/v1/tasks", { goal: "made after the break" });
        await page.locator(".live-live").waitFor();
        await page.getByText("made after the break").first().waitFor();
        await untilCount(page, ".stale-note", 0);
        await tab.close();
      } finally {
        await again?.kill();
        await first.stop();
      }
    },
  },
];
