// The same program on Node, Bun and Deno: runs every step and prints one JSON line, identical on all of them. A step
// that throws shows its error in place of its answer, and the exit code is 1. Run by scripts/check-runtimes.ts.

import { STEPS } from "./steps.ts";

const answers: Record<string, unknown> = {};
for (const step of STEPS) {
  try {
    answers[step.name] = await step.run();
  } catch (error) {
    answers[step.name] = {
      error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    };
    process.exitCode = 1;
  }
}
process.stdout.write(`${JSON.stringify(answers)}\n`);
