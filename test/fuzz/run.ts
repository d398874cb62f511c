// `npm run fuzz -- [--requests N] [--seed S]`: asks the HTTP API whatever its own document allows. Exits 1 with what did
// not hold and the seed that asks the same again.

import { parseArgs } from "node:util";
import { fuzz } from "./api-fuzz.ts";
import { fuzzBox } from "./box.ts";

const { values } = parseArgs({ options: { requests: { type: "string" }, seed: { type: "string" } } });
const requests = Number(values.requests ?? 100_000);
const seed = Number(values.seed ?? Date.now() % 2_147_483_647);
if (!Number.isInteger(requests) || requests < 1 || !Number.isInteger(seed)) {
  process.stderr.write("Expected whole numbers after --requests and --seed.\n");
  process.exit(2);
}
const box = await fuzzBox();
const began = performance.now();
const { ask, document } = box;
const report = await fuzz({ ask, document, requests, seed });
const seconds = (performance.now() - began) / 1000;
const wrong = [...report.violations, ...(await box.wrong())];
for (const each of wrong) process.stdout.write(`  - ${each}\n`);
const statuses = Object.entries(report.statuses).map(([status, count]) => `${status}: ${count}`);
process.stdout.write(
  `${report.requests} requests in ${seconds.toFixed(1)} s, ${statuses.join(", ")}; ${report.served.length} operations served; ` +
    `${wrong.length} violations; again with: npm run fuzz -- --requests ${requests} --seed ${seed}\n`,
);
await box.close();
process.exit(wrong.length === 0 ? 0 : 1);
