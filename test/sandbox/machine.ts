// The sandbox of the machine that the tests run on, and a workspace for it. Where bubblewrap is missing there is none,
// and the tests that need it say so.

import { chmodSync, chownSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { currentUid } from "../../src/base/owner.ts";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { LocalSandbox, SERVICE_UID, type SandboxOptions } from "../../src/sandbox/sandbox.ts";
import { findRung } from "../../src/sandbox/ladder.ts";

const uid = currentUid();
const found = await findRung(nodeProcesses, uid === 0);

/** Why no sandbox can be built here; `null` where one can. */
export const missing = "reason" in found ? found.reason : null;

export function settingsOf(rest: Partial<SandboxOptions["settings"]> = {}): SandboxOptions["settings"] {
  const bounds = { maxMemoryBytes: 2 ** 30, maxProcesses: 128 };
  return { unsafe: false, network: false, mounts: [], ...bounds, ...rest };
}

export function sandboxHere(
  rest: Partial<SandboxOptions["settings"]> = {},
  options: Partial<SandboxOptions> = {},
): LocalSandbox {
  const settings = settingsOf(rest);
  return new LocalSandbox({
    processes: nodeProcesses,
    uid,
    own: [],
    kept: [],
    scratch: tmpdir(),
    settings,
    ...options,
  });
}

export interface Ground {
  /** The folder around the workspace, which anybody may enter and read. */
  readonly base: string;
  readonly workspace: string;
  remove(): void;
}

/** A workspace that commands may write to, whoever runs the tests. */
export function makeGround(): Ground {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "troupe-ground-")));
  const workspace = mkdtempSync(join(base, "workspace-"));
  chmodSync(base, 0o755);
  if (uid === 0) chownSync(workspace, SERVICE_UID, SERVICE_UID);
  return { base, workspace, remove: () => rmSync(base, { recursive: true, force: true }) };
}
