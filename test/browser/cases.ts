// What a person does with the dashboard, one case after the other on one server.

import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import type { Box } from "./box.ts";
import { CHART_CASE, CHART_PAGE_CASE } from "./chart-case.ts";
import type { Browser } from "./chromium.ts";
import { seriousFindings, visit, type Visit } from "./visit.ts";

export interface Stage {
  readonly browser: Browser;
  readonly box: Box;
  /** The folder of the screenshots. */
  readonly pictures: string;
}

export interface Case {
  readonly name: string;
  check(stage: Stage): Promise<void>;
}

/** What holds of every page, whatever was done on it. */
async function assertClean({ page, errors, strayed }: Visit): Promise<void> {
  deepEqual(await seriousFindings(page), []);
  deepEqual(errors, []);
  deepEqual(strayed, []);
}

export const CASES: readonly Case[] = [
  {
    name: "opens with the token of the link, and takes it out of the address",
    async check({ browser, box, pictures }) {
      const tab = await visit(browser, box);
      await tab.page.getByRole("heading").first().waitFor();
      equal(tab.page.url(), `${box.url}/#/`);
      match(await tab.page.locator("body").innerText(), /SIMULATED/);
      await tab.page.screenshot({ path: join(pictures, "tree-light.png") });
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
      await tab.page.screenshot({ path: join(pictures, "access.png") });
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
  CHART_CASE,
  CHART_PAGE_CASE,
];
