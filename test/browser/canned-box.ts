// Servers of the real HTTP app in this process, so that a case can make their tasks speak: over canned tasks, for what no model
// of the simulated box would ever say or do, and over a real runtime whose model follows a script.

import { join } from "node:path";
import type { TroupeApi } from "../../src/core/api.ts";
import { Shell } from "../../src/http/shell.ts";
import { ROOT } from "../architecture/tree.ts";
import type { CannedApi } from "../http/canned-api.ts";
import { rig, TOKEN, type RigOptions as Served } from "../http/rig.ts";
import { realRig, type RigOptions } from "../runtime/rig.ts";
import type { Browser } from "./chromium.ts";
import { visit, type Visit } from "./visit.ts";

type Open = (place?: string) => Promise<Visit>;

/** Opens the dashboard of a canned server, and closes both. */
export async function onCannedBox(
  browser: Browser,
  act: (api: CannedApi, open: Open) => Promise<void>,
): Promise<void> {
  await served(browser, {}, act);
}

/** The same of a real runtime. */
export async function onScriptedBox(
  browser: Browser,
  options: RigOptions,
  act: (api: TroupeApi, open: Open) => Promise<void>,
): Promise<void> {
  const { api, runtime } = realRig(options);
  try {
    const wrap: Served["wrap"] = (_, caller) => runtime.as(caller);
    await served(browser, { wrap }, (_, open) => act(api, open));
  } finally {
    await runtime.close();
  }
}

async function served(
  browser: Browser,
  options: Pick<Served, "wrap">,
  act: (api: CannedApi, open: Open) => Promise<void>,
): Promise<void> {
  const box = await rig({ ...options, shell: new Shell({ folder: join(ROOT, "web") }), keepEvents: 100_000 });
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
