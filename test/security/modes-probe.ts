// Run as a process of its own, since the umask belongs to the process: makes every file that a server and its person make,
// under the umask in argv, in the folder after it.

import { join } from "node:path";
import { backupSqlite } from "../../src/store/sqlite-maintenance.ts";
import { loadOrCreateBoxId } from "../../src/config/box-id.ts";
import { loadOrCreateToken } from "../../src/http/token.ts";
import { makeToken } from "../../src/http/made-tokens.ts";
import { openRecords } from "../../src/records.ts";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";

const [umask = "0", folder = ""] = process.argv.slice(2);
process.umask(Number.parseInt(umask, 8));
const home = join(folder, "home");
const clock = systemClock;
const random = systemRandom;
await loadOrCreateToken({ path: join(home, "token") });
await makeToken({ folder: join(home, "tokens") }, { name: "x", scope: "read", now: 0, random });
await loadOrCreateBoxId({ path: join(home, "box-id"), random });
const path = join(home, "kept", "troupe.db");
const keeping = { path, durability: "full", keepMs: 1, maxBytes: 1_000_000 } as const;
const records = await openRecords(keeping, { clock, random });
records.audit.note({ actor: "troupe", action: "x", target: null, digest: null, outcome: "ok" });
process.stdout.write("open\n");
backupSqlite(path, join(home, "copy.db"));
// Ended without closing anything, so that what lies beside a store in use is there to be looked at.
await new Promise((resolve) => setImmediate(resolve));
process.exit(0);
