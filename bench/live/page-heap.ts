// One tab of the dashboard for minutes while hundreds of agents write: it is led from page to page, and after each round, back
// on the first page, its garbage is collected and its heap is read. Beside it: how late what an agent writes is on the screen.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { delay, systemClock } from "../../src/base/clock.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { Shell } from "../../src/http/shell.ts";
import { call, say, wait, type Step } from "../../providers/script.ts";
import { chromiumPath, launchChromium, type CdpSession, type Page } from "../../test/browser/chromium.ts";
import { goTo, until } from "../../test/browser/stage.ts";
import { visit } from "../../test/browser/visit.ts";
import { slopeOf, type Slope } from "../../test/soak/slopes.ts";
import { benchRig } from "../rig.ts";
import { serveApi, TOKEN } from "./parent.ts";

export interface PageHeapOptions {
  readonly agents: number;
  readonly minutes: number;
}

export interface PageHeap {
  /** After each round's collection: seconds since the first, and what the page holds then. */
  readonly samples: readonly Sample[];
  readonly slope: Slope;
  /** From the moment at which an agent wrote to the picture that shows it, in milliseconds. */
  readonly lateness: readonly number[];
}

export interface Sample {
  readonly atS: number;
  readonly heapBytes: number;
  readonly nodes: number;
  readonly listeners: number;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Two tokens every 40 ms: 50 a second. */
const EVERY_MS = 40;
/** Then it reports and goes on with its next turn. */
const TURN_MS = 20_000;
const ON_TASK_MS = 9_000;
const ON_GPUS_MS = 3_000;
const ON_TREE_MS = 3_000;
/** Rounds before samples count: modules are loaded, lists have been drawn, code has been compiled. */
const WARM_UP = 2;

/** Contract: throws ConfigError `no_browser` where Chromium or what drives it is missing. */
export async function pageHeap({ agents, minutes }: PageHeapOptions): Promise<PageHeap> {
  const path = chromiumPath(process.env);
  if (path === null || !existsSync(join(root, "test/browser/node_modules"))) {
    throw new ConfigError(
      "no_browser",
      "Expected Chromium and what drives it, got neither or one of them. Install chromium, and run npm run test:browser once.",
    );
  }
  const rig = benchRig({ slots: agents, reply: turn });
  const server = await serveApi(rig.api, { shell: new Shell({ folder: join(root, "web") }) });
  const browser = await launchChromium(path);
  try {
    const ids: string[] = [];
    for (let at = 0; at < agents; at += 1) ids.push((await rig.api.delegate({ goal: `agent ${at}` })).taskId);
    const { page } = await visit(browser, { url: server.url, token: TOKEN });
    await until(page, "document.querySelectorAll('[role=treeitem]').length > 5");
    return await rounds(page, ids, minutes * 60_000);
  } finally {
    await browser.close();
    await server.close();
    await rig.close();
  }
}

/** One turn of an agent: it writes when it writes, so that a reader can tell how late it reads. */
async function* turn(_request: unknown, nth = 0): AsyncGenerator<Step> {
  for (let left = TURN_MS / EVERY_MS; left > 0; left -= 1) {
    yield say(`t${systemClock.now()} `);
    yield wait(EVERY_MS);
  }
  yield call("report_progress", { percent: nth % 100, note: `turn ${nth}` });
}

async function rounds(page: Page, ids: readonly string[], forMs: number): Promise<PageHeap> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const samples: Sample[] = [];
  const lateness: number[] = [];
  let since = systemClock.monotonic();
  for (let round = 0; round < WARM_UP || systemClock.monotonic() - since < forMs; round += 1) {
    if (round === WARM_UP) since = systemClock.monotonic();
    await goTo(page, `#/task/${ids[(round * 7) % ids.length] ?? ""}`);
    await until(page, "document.querySelector('.writing .text') !== null");
    await page.evaluate(WATCH_LATENESS);
    await delay(systemClock, ON_TASK_MS);
    const late = await page.evaluate<readonly number[]>("window.stopLateness()");
    await goTo(page, "#/gpus");
    await delay(systemClock, ON_GPUS_MS);
    await goTo(page, "#/");
    await delay(systemClock, ON_TREE_MS);
    if (round < WARM_UP) continue;
    lateness.push(...late);
    // What is on its way at the moment is no growth: the lesser of two.
    const [one, other] = [
      await sampled(session, since),
      await delay(systemClock, 1_000).then(() => sampled(session, since)),
    ];
    samples.push(one.heapBytes <= other.heapBytes ? one : other);
  }
  const points = samples.map(({ atS, heapBytes }) => ({ hours: atS / 3_600, value: heapBytes }));
  return { samples, slope: slopeOf(points), lateness };
}

async function sampled(session: CdpSession, since: number): Promise<Sample> {
  // The first collection runs finalisers, whose garbage the second one takes.
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send<{ usedSize: number }>("Runtime.getHeapUsage");
  const { metrics } = await session.send<{ metrics: readonly { name: string; value: number }[] }>(
    "Performance.getMetrics",
  );
  const value = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  const atS = (systemClock.monotonic() - since) / 1_000;
  return { atS, heapBytes: usedSize, nodes: value("Nodes"), listeners: value("JSEventListeners") };
}

/** In the page: after each picture that shows new words, how long ago the last of them was written. */
const WATCH_LATENESS = `(() => {
  const late = [];
  let isDrawing = false;
  const seen = new MutationObserver(() => {
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(() => setTimeout(() => {
      isDrawing = false;
      const last = document.querySelector(".writing .text")?.textContent.slice(-40).match(/t(\\d{13}) $/);
      if (last) late.push(Date.now() - Number(last[1]));
    }));
  });
  seen.observe(document.querySelector(".transcript"), { subtree: true, childList: true, characterData: true });
  window.stopLateness = () => { seen.disconnect(); return late; };
})()`;
