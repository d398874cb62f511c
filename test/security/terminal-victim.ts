// A server of its own for the attack that kills it: runs one command in a session, says `ready`, and waits for its end.
// Arguments: the workspace, the command, and `walled` or `bare`.

import { sandboxHere } from "../sandbox/machine.ts";
import { attackerIn } from "./terminal-ground.ts";

const [workspace = "", command = "", how = ""] = process.argv.slice(2);
const { output } = await attackerIn(workspace, sandboxHere({ unsafe: how === "bare" })).run(command);
process.stdout.write(`${output}ready\n`);
setInterval(() => {}, 60_000);
