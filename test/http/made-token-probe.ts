// Run as a process of its own, since the umask belongs to the process: makes a token under the umask in argv.

import { systemRandom } from "../../src/base/ids.ts";
import { makeToken } from "../../src/http/made-tokens.ts";

const [umask = "0", folder = ""] = process.argv.slice(2);
process.umask(Number.parseInt(umask, 8));
await makeToken({ folder }, { name: "probe", scope: "read", now: 0, random: systemRandom });
