// What a case gets, and what holds of every page.

import { deepEqual } from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Box } from "./box.ts";
import type { Browser, Page } from "./chromium.ts";
import { seriousFindings, type Visit, WAIT_MS } from "./visit.ts";

export interface Stage {
  readonly browser: Browser;
  /** A real server over the simulated box, the same for all cases. */
  readonly box: Box;
  /** The folder of the screenshots. */
  readonly pictures: string;
}

export interface Case {
  readonly name: string;
  check(stage: Stage): Promise<void>;
}

/** Nothing serious, no error, nobody else was called. */
export async function assertClean({ page, errors, strayed }: Visit): Promise<void> {
  deepEqual(await seriousFindings(page), []);
  deepEqual(errors, []);
  deepEqual(strayed, []);
}

/** Pictures of the page as it stands in light and in dark, and that nothing serious is found in either. */
export async function picture(tab: Visit, { pictures }: Stage, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await tab.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await tab.page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`) });
    await assertClean(tab);
  }
  await tab.page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

/** Goes to a place by its address. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}

/** Waits until so many elements are there: a count that is taken once is taken too early on a busy machine. */
export function untilCount(page: Page, selector: string, count: number): Promise<void> {
  return until(page, `document.querySelectorAll(${JSON.stringify(selector)}).length === ${count}`);
}

/** The text of the page's main part. */
export function mainText(page: Page): Promise<string> {
  return page.locator("main").innerText();
}

const LOOK_MS = 50;

/** Looks again and again until the page's script finds that it is so: the policy of the page forbids the driver's own way. */
export async function until(page: Page, script: string): Promise<void> {
  for (const end = performance.now() + WAIT_MS; performance.now() < end; await delay(LOOK_MS)) {
    if (await page.evaluate<boolean>(`Boolean(${script})`).catch(() => false)) return;
  }
  throw new Error(`not within ${WAIT_MS} ms: ${script}\n${(await mainText(page)).slice(0, 600)}`);
}
