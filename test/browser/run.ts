// Drives the dashboard in a real browser over a simulated box, by clicks and keys. Ends with `N passed, N failed`.
// Where no Chromium is, it says so and checks nothing: `apt-get install -y chromium`, or CHROMIUM=PATH.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../architecture/tree.ts";
import { tallyLine } from "../../scripts/tally.ts";
import { startBox } from "./box.ts";
import { CASES } from "./cases.ts";
import { chromiumPath, launchChromium } from "./chromium.ts";

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function main(wanted: string): Promise<void> {
  const path = chromiumPath(process.env);
  if (path === null) {
    say(
      "Skipped: no Chromium here. Install one (Debian: apt-get install -y chromium), or name it in CHROMIUM.",
    );
    return void say(tallyLine({ passed: 0, failed: 0, skipped: CASES.length }));
  }
  const pictures = process.env["TROUPE_SCREENSHOTS"] ?? join(ROOT, ".troupe", "screenshots");
  mkdirSync(pictures, { recursive: true });
  const browser = await launchChromium(path);
  const box = await startBox();
  let failed = 0;
  const cases = CASES.filter(({ name }) => name.includes(wanted));
  try {
    for (const each of cases) {
      const { name } = each;
      const startedAt = performance.now();
      try {
        await each.check({ browser, box, pictures });
        say(`ok    ${name} (${Math.round(performance.now() - startedAt)} ms)`);
      } catch (error) {
        failed += 1;
        say(`FAILED ${name}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      }
      // What a case left behind is not the next one's load.
      for (const tab of browser.contexts()) await tab.close();
      await box.calm();
    }
  } finally {
    await browser.close();
    await box.stop();
  }
  say(`Pictures: ${pictures}`);
  say(tallyLine({ passed: cases.length - failed, failed, skipped: 0 }));
  process.exitCode = failed === 0 ? 0 : 1;
}

await main(process.argv[2] ?? "");
