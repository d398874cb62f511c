// Real crashes: `npm run crash -- --loops 50`. Servers that are real processes die in every way while real clients use
// them; what was acknowledged must be there afterwards. Exit code 0 when nothing was found, 1 when something was, 2 for
// wrong usage. One line for each finding; the last line is `N passed, N failed`, of loops.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryDisks } from "./disk.ts";
import { House, type HouseReport } from "./house.ts";
import { startModelServer } from "./model-server.ts";
import { parseOptions, USAGE, type Options } from "./options.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function crash(options: Options): Promise<number> {
  const { loops, seed, durability, lives } = options;
  const living = new Map<string, House>();
  const models = await startModelServer({
    onGeneration: ({ name }) => {
      const house = living.get(name.slice(0, name.indexOf(".")));
      house?.ledger.generated(name, house.life);
    },
  });
  const compileCache = await mkdtemp(join(tmpdir(), "troupe-crash-cache-"));
  const begunAt = performance.now();
  const reports: HouseReport[] = [];
  let left = loops;
  let next = seed;
  const live = async (): Promise<void> => {
    while (left > 0) {
      const mine = Math.min(lives, left);
      left -= mine;
      const house = new House({
        seed: next++,
        lives: mine,
        durability,
        models,
        compileCache,
        keepIn: tmpdir(),
      });
      living.set(house.name, house);
      const report = await house.run();
      living.delete(house.name);
      reports.push(report);
      tell(report, options);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.houses }, live));
  } finally {
    await models.close();
    await rm(compileCache, { recursive: true, force: true });
  }
  return conclude(reports, { models: models.generations(), seconds: (performance.now() - begunAt) / 1000 });
}

function tell({ seed, findings, kept }: HouseReport, { lives, durability }: Options): void {
  for (const [at, found] of findings.entries()) {
    for (const what of found) say(`FAIL seed ${seed}, loop ${at + 1}: ${what}`);
  }
  if (kept !== null) {
    const again = `npm run crash -- --loops ${lives} --seed ${seed} --durability ${durability}`;
    say(`     look at ${kept} (server.log, home/troupe.db); the same plans again: ${again}`);
  }
}

/** The totals and the tally. The last life of a house, in which it is left alone, counts with the one before it. */
function conclude(
  reports: readonly HouseReport[],
  { models, seconds }: { readonly models: number; readonly seconds: number },
): number {
  const sum = (of: (report: HouseReport) => number): number =>
    reports.reduce((all, each) => all + of(each), 0);
  const loops = reports.flatMap(({ findings }) => {
    const [end = [], before = [], ...rest] = findings.toReversed();
    return [[...before, ...end], ...rest];
  });
  const failed = loops.filter((found) => found.length > 0).length;
  const ends = new Map<string, number>();
  for (const report of reports)
    for (const [word, count] of Object.entries(report.ends)) ends.set(word, (ends.get(word) ?? 0) + count);
  say(
    `${sum((each) => each.kills)} kills, ${sum((each) => each.restarts)} restarts, ` +
      `${Math.round((loops.length / seconds) * 60)} loops a minute; acknowledged: ` +
      `${sum((each) => each.acknowledged)} tasks and sessions, ${sum((each) => each.words)} steers and messages, ` +
      `${sum((each) => each.cancels)} cancels; ${models} generations`,
  );
  const words = [...ends].toSorted(([, a], [, b]) => b - a).map(([word, count]) => `${count} ${word}`);
  say(`${sum((each) => each.tasks)} tasks ended: ${words.join(", ")}`);
  say(`${loops.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function disks({ durability }: Options): Promise<number> {
  const models = await startModelServer();
  try {
    const { passed, failed, skipped } = await tryDisks(models, durability);
    for (const what of skipped) say(`skip ${what}`);
    for (const what of passed) say(`ok   ${what}`);
    for (const what of failed) say(`FAIL ${what}`);
    say(`${passed.length} passed, ${failed.length} failed`);
    return failed.length === 0 ? 0 : 1;
  } finally {
    await models.close();
  }
}

const parsed = parseOptions(process.argv.slice(2));
if (typeof parsed === "string") {
  process.stderr.write(`${parsed}\n\n${USAGE}\n`);
  process.exitCode = 2;
} else if (parsed.help) {
  say(USAGE);
} else {
  process.exitCode = await (parsed.disk ? disks(parsed) : crash(parsed));
}
