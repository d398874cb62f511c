// The end of a server: no new tasks, time for what is under way, and the truth about what becomes of the rest. A second
// Ctrl-C ends the process in the middle of it, and loses nothing that a durable store has.

import type { Troupe } from "../compose.ts";
import { isTerminal, STATES } from "../core/lifecycle.ts";
import type { Printer } from "./printer.ts";
import { counted } from "./task-lines.ts";

type Ending = Pick<Troupe, "api" | "config" | "drain">;

async function livingIn({ api }: Ending): Promise<number> {
  const { tasks } = await api.status();
  return STATES.filter((state) => !isTerminal(state)).reduce((sum, state) => sum + tasks[state], 0);
}

/** Contract: resolves within the grace of the config, when nothing starts any more; closes nothing. */
export async function windDown(troupe: Ending, printer: Printer): Promise<void> {
  const graceS = troupe.config.server.shutdown_grace_s;
  const living = await livingIn(troupe);
  if (living === 0) {
    printer.note("Stopping.");
    await troupe.drain(0);
    return;
  }
  const { durability } = await troupe.api.status();
  const tasks = counted(living, "living task");
  if (durability === "none") {
    printer.warn(
      `Stopping with ${tasks}; this store is in memory, so they are lost. Ctrl-C again stops at once.`,
    );
    return;
  }
  printer.warn(
    `Stopping with ${tasks}: new ones are refused, and what is under way has ${graceS} s to end. Ctrl-C again stops at ` +
      "once, and loses nothing either.",
  );
  await troupe.drain(graceS * 1000);
  const left = await livingIn(troupe);
  if (left > 0) printer.warn(`${counted(left, "task")} ${left === 1 ? "goes" : "go"} on at the next start.`);
}
