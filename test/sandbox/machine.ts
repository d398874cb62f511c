// The sandbox of the machine that the tests run on, and a workspace for it. Where bubblewrap is missing there is none,
// and the tests that need it say so.

import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { currentUid } from "../../src/base/owner.ts";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { LocalSandbox, SERVICE_UID, type SandboxOptions } from "../../src/sandbox/sandbox.ts";
import { chooseGroups, ownGroups } from "../../src/sandbox/cgroup-plan.ts";
import { findRung } from "../../src/sandbox/ladder.ts";

const uid = currentUid();

/** Why no sandbox can be built here, whatever its arguments: bubblewrap is missing, or the system allows no namespaces. */
async function whyMissing(): Promise<string | null> {
  const found = await findRung(nodeProcesses, uid === 0);
  if ("reason" in found) return found.reason;
  const { bwrap, setpriv } = found.rung;
  const become =
    uid === 0 && setpriv !== null ? [setpriv, "--reuid", `${SERVICE_UID}`, "--clear-groups"] : [];
  const plain = [
    "--unshare-all",
    "--unshare-user",
    "--disable-userns",
    "--ro-bind",
    "/",
    "/",
    "--proc",
    "/proc",
  ];
  const argv = [...become, bwrap, ...plain, "true"] as unknown as readonly [string, ...string[]];
  const { code, stderr } = await nodeProcesses.run(argv, { env: {}, maxBytes: 1_000 });
  return code === 0 ? null : stderr;
}

/** `null` where one can be built. */
export const missing = await whyMissing();
if (missing !== null) process.stderr.write(`the terminal's walls are not tried: ${missing}\n`);

export function settingsOf(rest: Partial<SandboxOptions["settings"]> = {}): SandboxOptions["settings"] {
  const bounds = { maxMemoryBytes: 2 ** 30, maxProcesses: 128, maxCpus: 1 };
  return { unsafe: false, network: false, mounts: [], ...bounds, ...rest };
}

export function sandboxHere(
  rest: Partial<SandboxOptions["settings"]> = {},
  options: Partial<SandboxOptions> = {},
): LocalSandbox {
  const settings = settingsOf(rest);
  return new LocalSandbox({
    processes: nodeProcesses,
    clock: systemClock,
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

/** The folders in which this process makes groups for sessions. */
export function groupFolders(): readonly string[] {
  const [mountinfo, cgroup] = [
    readFileSync("/proc/self/mountinfo", "utf8"),
    readFileSync("/proc/self/cgroup", "utf8"),
  ];
  const own = ownGroups(mountinfo, cgroup);
  const found = chooseGroups(own, null);
  return "plan" in found ? found.plan.places.map(({ folder }) => folder) : Object.values(own);
}

/** The groups there whose name begins so. */
export function groupsNamed(prefix: string): readonly string[] {
  return groupFolders().flatMap((folder) => readdirSync(folder).filter((name) => name.startsWith(prefix)));
}
