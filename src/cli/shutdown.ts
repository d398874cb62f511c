// The end of a server: no new tasks, time for what is under way, and the truth about what becomes of the rest. A second
// Ctrl-C ends the process in the middle of it, and loses nothing that a durable store has.

import type { BoxApi } from "../core/box-api.ts";
import { isTerminal, STATES } from "../core/lifecycle.ts";
import type { Printer } from "./printer.ts";
import { counted } from "./task-lines.ts";

/** What the end of a Troupe needs of it. */
export interface Ending {
  readonly api: Pick<BoxApi, "status">;
  readonly config: { readonly server: { readonly shutdown_grace_s: number } };
  drain(graceMs: number): Promise<{ readonly parked: number }>;
}

async function look({ api }: Ending): Promise<{ readonly living: number; readonly isKept: boolean }> {
  const { tasks, durability } = await api.status();
  const living = STATES.filter((state) => !isTerminal(state)).reduce((sum, state) => sum + tasks[state], 0);
  return { living, isKept: durability !== "none" };
}

/** Contract: resolves within the grace of the config, when nothing starts any more; closes nothing. */
export async function windDown(troupe: Ending, printer: Printer): Promise<void> {
  const graceS = troupe.config.server.shutdown_grace_s;
  const { living, isKept } = await look(troupe);
  const tasks = counted(living, "living task");
  if (living === 0) {
    printer.note("Stopping.");
  } else if (isKept) {
    printer.warn(
      `Stopping with ${tasks}: new ones are refused, and what is under way has ${graceS} s to end. Ctrl-C again stops ` +
        "at once, and loses nothing either.",
    );
  } else {
    printer.warn(
      `Stopping with ${tasks}; this store is in memory, so they are lost. Ctrl-C again stops at once.`,
    );
  }
  // What is lost anyway is not waited for.
  await troupe.drain(living > 0 && isKept ? graceS * 1000 : 0);
  const { living: left } = await look(troupe);
  if (isKept && left > 0) {
    printer.warn(`${counted(left, "task")} ${left === 1 ? "goes" : "go"} on at the next start.`);
  }
}
