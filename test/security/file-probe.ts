// Run as a process of its own, since the umask belongs to the process: makes a file in new folders of the workspace
// in argv under the umask in argv, with the file tools.

import { call } from "../toolsets/file-fixture.ts";

const [umask = "0", workspace = ""] = process.argv.slice(2);
process.umask(Number.parseInt(umask, 8));
await call("write_file", { path: "new/deep/a.txt", content: "x" }, { at: workspace });
