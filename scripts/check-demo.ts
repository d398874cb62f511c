// Judges what `npm run demo -- --json` wrote: `npm run check:demo -- FILE`, or standard input without a file. With
// `--crash`, that of `npm run demo -- --crash --json`. Ends with `N passed, N failed`.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkDemo } from "./demo-document.ts";
import { tallyLine } from "./tally.ts";

const { values, positionals } = parseArgs({
  options: { crash: { type: "boolean", default: false } },
  allowPositionals: true,
});
const checks = checkDemo(readFileSync(positionals[0] ?? 0, "utf8"), values);
for (const { name, passed, got } of checks) {
  process.stdout.write(passed ? `ok     ${name}\n` : `FAILED ${name}; got: ${got.slice(0, 500)}\n`);
}
const failed = checks.filter((check) => !check.passed).length;
process.stdout.write(`${tallyLine({ passed: checks.length - failed, failed, skipped: 0 })}\n`);
process.exitCode = failed === 0 ? 0 : 1;
