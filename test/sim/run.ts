// The command line of the simulation: `npm run sim -- --seeds 10000`. Exit code 0 when all seeds pass, 1 when one does
// not, 2 for wrong usage or a defect of the simulation itself. The last line is `N passed, N failed`.

import { parseOptions, USAGE, type Options } from "./options.ts";
import { describe, playSeeds, replay, type Tally } from "./play.ts";
import { playOnWorkers } from "./workers.ts";

async function main(options: Options): Promise<number> {
  if (options.trace) return replay(options.first, options);
  const begunAt = performance.now();
  const onFailure = (text: string): void => {
    if (!options.json) process.stdout.write(`${text}\n`);
  };
  const tally: Tally =
    options.workers > 1 ? await playOnWorkers(options, onFailure) : await playSeeds(options, onFailure);
  const seconds = (performance.now() - begunAt) / 1000;
  if (options.json) process.stdout.write(`${JSON.stringify({ ...tally, seconds })}\n`);
  else
    process.stdout.write(
      `${describe(tally, seconds)}\n${tally.passed} passed, ${tally.failures.length} failed\n`,
    );
  return tally.failures.length === 0 ? 0 : 1;
}

// Whoever reads a trace may stop reading.
process.stdout.on("error", () => {});

const parsed = parseOptions(process.argv.slice(2));
if (typeof parsed === "string") {
  process.stderr.write(`${parsed}\n\n${USAGE}\n`);
  process.exitCode = 2;
} else if (parsed.help) {
  process.stdout.write(`${USAGE}\n`);
} else {
  try {
    process.exitCode = await main(parsed);
  } catch (thrown) {
    process.stderr.write(
      `The simulation itself failed: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`,
    );
    process.exitCode = 2;
  }
}
