// Run as a process of its own, since the umask belongs to the process: makes a token under the umask in argv.

import { loadOrCreateToken } from "../../src/http/token.ts";

const [umask = "0", path = ""] = process.argv.slice(2);
process.umask(Number.parseInt(umask, 8));
await loadOrCreateToken({ path });
