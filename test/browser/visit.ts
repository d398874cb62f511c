// One tab that is watched: what it logs, what goes wrong in it, and whom it talks to.

import { readFileSync } from "node:fs";
import type { Box } from "./box.ts";
import { axeScript, type Browser, type Page } from "./chromium.ts";

export interface Visit {
  readonly page: Page;
  /** Errors of the console and of scripts, so far. */
  readonly errors: readonly string[];
  /** Requests that left this machine. */
  readonly strayed: readonly string[];
  readonly close: () => Promise<void>;
}

export const SCREEN = { width: 1280, height: 800 } as const;
/** Longer than anything takes on a machine that is busy with other tests: only what never comes ends so. */
export const WAIT_MS = 60_000;

/** Opens the dashboard at a place, with the token. */
export async function visit(browser: Browser, box: Pick<Box, "url" | "token">, place = "/"): Promise<Visit> {
  const context = await browser.newContext({ viewport: SCREEN, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const errors: string[] = [];
  const strayed: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (hostname !== "127.0.0.1" && protocol !== "data:") strayed.push(request.url());
  });
  await page.goto(`${box.url}/#token=${box.token}&to=${encodeURIComponent(place)}`);
  return { page, errors, strayed, close: () => context.close() };
}

interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe finds serious or critical on the page as it stands. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(axeScript(), "utf8"));
  const findings = await page.evaluate<readonly Finding[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then((results) => results.violations)",
  );
  return findings
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}\n  ${nodes.map(({ html }) => html.slice(0, 200)).join("\n  ")}`,
    );
}
