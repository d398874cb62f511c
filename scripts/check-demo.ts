// Judges what `npm run demo -- --json` wrote: `npm run check:demo -- FILE`, or standard input without a file. Ends
// with `N passed, N failed`.

import { readFileSync } from "node:fs";
import { checkDemo } from "./demo-document.ts";
import { tallyLine } from "./tally.ts";

const checks = checkDemo(readFileSync(process.argv[2] ?? 0, "utf8"));
for (const { name, passed, got } of checks) {
  process.stdout.write(passed ? `ok     ${name}\n` : `FAILED ${name}; got: ${got.slice(0, 500)}\n`);
}
const failed = checks.filter((check) => !check.passed).length;
process.stdout.write(`${tallyLine({ passed: checks.length - failed, failed, skipped: 0 })}\n`);
process.exitCode = failed === 0 ? 0 : 1;
