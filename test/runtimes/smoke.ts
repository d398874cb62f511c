// The same program on Node, Bun and Deno: runs every step and every scene and prints one JSON line, identical on all
// of them. One that throws shows its error in place of its answer, and the exit code is 1. Its only argument is the
// folder that the tasks work on. Nothing ends the process but itself. Run by scripts/check-runtimes.ts.

import { openHouse } from "./house.ts";
import { SCENES } from "./scenes.ts";
import { STEPS } from "./steps.ts";

const [, , workspace] = process.argv;
if (workspace === undefined) throw new Error("Expected the workspace's folder as the argument, got none.");

const answers: Record<string, unknown> = {};
async function note(name: string, run: () => Promise<unknown>): Promise<void> {
  try {
    answers[name] = await run();
  } catch (error) {
    answers[name] = { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
    process.exitCode = 1;
  }
}

for (const step of STEPS) await note(step.name, () => step.run());
const house = await openHouse(workspace);
for (const scene of SCENES) await note(scene.name, () => scene.run(house));
await house.close();
process.stdout.write(`${JSON.stringify(answers)}\n`);
