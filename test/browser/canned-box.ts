// A server of the real HTTP app over canned tasks, for what no model of the simulated box would ever say or do. It runs in
// this process, so that a case can make its tasks speak.

import { join } from "node:path";
import { Shell } from "../../src/http/shell.ts";
import { ROOT } from "../architecture/tree.ts";
import type { CannedApi } from "../http/canned-api.ts";
import { rig, TOKEN } from "../http/rig.ts";
import type { Browser } from "./chromium.ts";
import { visit, type Visit } from "./visit.ts";

/** Opens the dashboard of a canned server, and closes both. */
export async function onCannedBox(
  browser: Browser,
  act: (api: CannedApi, open: (place?: string) => Promise<Visit>) => Promise<void>,
): Promise<void> {
  const box = await rig({ shell: new Shell({ folder: join(ROOT, "web") }), keepEvents: 100_000 });
  const tabs: Visit[] = [];
  try {
    await act(box.api, async (place) => {
      const tab = await visit(browser, { url: box.server.url, token: TOKEN }, place);
      tabs.push(tab);
      return tab;
    });
  } finally {
    for (const tab of tabs) await tab.close();
    await box.close();
  }
}
