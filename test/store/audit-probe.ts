// Run as a process of its own, since the umask belongs to the process: makes an audit log under the umask in argv.

import { systemClock } from "../../src/base/clock.ts";
import { AuditFile } from "../../src/store/audit-file.ts";

const [umask = "0", path = ""] = process.argv.slice(2);
process.umask(Number.parseInt(umask, 8));
new AuditFile({ path, clock: systemClock }).close();
