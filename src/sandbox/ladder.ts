// What this machine has to build walls with, and whether it is enough. There is one rung, bubblewrap; below it is
// nothing: a machine without it opens no terminal, and says what to install.

import { access, constants, lstat, readlink } from "node:fs/promises";
import type { ProcessHost } from "../base/process.ts";
import { machineOf, type Machine } from "./call-filter.ts";

/** Looked for in these folders alone: a PATH may begin with a folder that others write to. */
const PLACES = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin"];
/** The first that can forbid further user namespaces, in which old holes of kernels lie. */
const LEAST_VERSION = [0, 8, 0] as const;
const TOPS = ["/bin", "/lib", "/lib32", "/lib64", "/sbin"];
const INSTALL = "Install it (apt-get install bubblewrap, dnf install bubblewrap), then: troupe doctor.";

export interface Rung {
  readonly bwrap: string;
  readonly version: string;
  readonly setpriv: string | null;
  readonly nice: string | null;
  readonly links: Readonly<Record<string, string | null>>;
  /** Of which calls can be filtered; `null` for another. */
  readonly machine: Machine | null;
}

export type RungFound = { readonly rung: Rung } | { readonly reason: string };

/** What was found, as plain data. */
export interface LadderFacts {
  readonly isLinux: boolean;
  readonly isRoot: boolean;
  readonly bwrap: string | null;
  /** What `bwrap --version` says. */
  readonly says: string;
  readonly setpriv: string | null;
  readonly nice: string | null;
  readonly bash: string | null;
  readonly links: Readonly<Record<string, string | null>>;
  /** What `uname -m` says. */
  readonly machine: string;
}

/** Contract: pure. */
export function chooseRung(facts: LadderFacts): RungFound {
  const { bwrap, setpriv, nice, links } = facts;
  if (!facts.isLinux) return { reason: "it needs the namespaces of Linux, and this is another system." };
  if (bwrap === null)
    return { reason: `bubblewrap (bwrap) was not found in ${PLACES.join(", ")}. ${INSTALL}` };
  const version = /(\d+)\.(\d+)\.(\d+)/.exec(facts.says);
  const figures = version?.slice(1).map(Number) ?? [];
  if (version === null || isOlder(figures, LEAST_VERSION)) {
    const said = facts.says.trim().slice(0, 80) || "nothing";
    return {
      reason: `it needs bubblewrap ${LEAST_VERSION.join(".")} or newer, and ${bwrap} says ${said}. ${INSTALL}`,
    };
  }
  if (facts.bash === null) return { reason: `it needs bash in ${PLACES.join(" or ")}. Install it.` };
  if (facts.isRoot && setpriv === null) {
    const advice = "Install util-linux, or start the server as another user.";
    return { reason: `started by root it needs setpriv to become another user. ${advice}` };
  }
  const machine = machineOf(facts.machine);
  return { rung: { bwrap, version: version[0], setpriv, nice, links, machine } };
}

function isOlder(version: readonly number[], least: readonly number[]): boolean {
  const at = least.findIndex((figure, index) => figure !== version[index]);
  return at >= 0 && (version[at] ?? 0) < (least[at] ?? 0);
}

/** Looks at this machine. Contract: never throws. */
export async function findRung(processes: ProcessHost, isRoot: boolean): Promise<RungFound> {
  const [bwrap, setpriv, nice, bash, uname, linux] = await Promise.all([
    find("bwrap"),
    find("setpriv"),
    find("nice"),
    find("bash"),
    find("uname"),
    exists("/proc/self/ns/user", constants.F_OK),
  ]);
  const says = bwrap === null ? "" : await answerOf(processes, [bwrap, "--version"]);
  const machine = uname === null ? "" : await answerOf(processes, [uname, "-m"]);
  const links = await topLinks();
  return chooseRung({ isLinux: linux, isRoot, bwrap, says, setpriv, nice, bash, links, machine });
}

async function answerOf(processes: ProcessHost, argv: readonly [string, ...string[]]): Promise<string> {
  try {
    const { stdout } = await processes.run(argv, { env: {}, maxBytes: 1_000 });
    return stdout;
  } catch {
    return "";
  }
}

async function find(program: string): Promise<string | null> {
  for (const place of PLACES) {
    if (await exists(`${place}/${program}`, constants.X_OK)) return `${place}/${program}`;
  }
  return null;
}

async function exists(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** How the machine's top folders are laid out; those that are not there are left out. */
async function topLinks(): Promise<Readonly<Record<string, string | null>>> {
  const found = await Promise.all(
    TOPS.map(async (path): Promise<readonly [string, string | null] | null> => {
      try {
        return [path, (await lstat(path)).isSymbolicLink() ? await readlink(path) : null];
      } catch {
        return null;
      }
    }),
  );
  return Object.fromEntries(found.filter((each) => each !== null));
}
