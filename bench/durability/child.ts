// What a part of the benchmark does in a process of its own: `node child.ts prepare|recover|finished|family ARGS…`. Each
// prints one line of JSON when it is through, and then waits to be killed, as a server that crashes.

import { prepareOpenTasks, recoverOpenTasks } from "./open-tasks.ts";
import { endedChildren, finishedTasks } from "./settled-memory.ts";

const WORK: Readonly<Record<string, (args: readonly string[]) => Promise<unknown>>> = {
  prepare: async ([path = "", size = ""]) => {
    await prepareOpenTasks(path, Number(size));
    return "ready";
  },
  recover: ([path = "", size = ""]) => recoverOpenTasks(path, Number(size)),
  finished: ([size = ""]) => finishedTasks(Number(size)),
  family: ([chars = ""]) => endedChildren(Number(chars)),
};

const [name = "", ...args] = process.argv.slice(2);
const work = WORK[name];
if (!work) throw new Error(`Expected one of ${Object.keys(WORK).join(", ")}, got \`${name}\`.`);
process.stdout.write(`${JSON.stringify(await work(args))}\n`);
// Stays as it is until it is killed: a process that ends by itself would tidy up.
setInterval(() => {}, 60_000);
