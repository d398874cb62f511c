// Which groups of the kernel (cgroups) could hold a whole session together on this machine, and what is written into
// them: decided from the texts of /proc and of the group that this server itself is in. It looks at nothing and makes
// nothing; whether the kernel lets this user make them is for a trial to tell (cgroups.ts).

/** What all processes of one session may use together. */
export interface SessionCaps {
  /** Processes and threads. */
  readonly maxProcesses: number;
  /** Memory, with what lies in /tmp of the sandbox, and no swap beside it. */
  readonly maxMemoryBytes: number;
  /** Processors that it may keep busy, on average over 20 ms; a fraction is a share of one. */
  readonly maxCpus: number;
}

/** Where one group for each session is made, and what it bounds there. */
export interface GroupPlace {
  /** The group that this server is in, as a folder. */
  readonly folder: string;
  readonly bounds: readonly Bound[];
}

type Bound = "pids" | "memory" | "cpu";

export interface GroupPlan {
  readonly version: 1 | 2;
  readonly places: readonly GroupPlace[];
  /** A folder that this server has to move into first, because a group with processes hands nothing on (version 2). */
  readonly moveInto: string | null;
}

export type GroupsFound = { readonly plan: GroupPlan } | { readonly reason: string };

/** Where this server's groups are; what is not mounted is missing. */
export type OwnGroups = Readonly<Partial<Record<Bound | "unified", string>>>;

/** What the folder of version 2 says of itself. */
export interface UnifiedFacts {
  /** `cgroup.controllers`: what may be bounded here. */
  readonly controllers: string;
  /** `cgroup.subtree_control`: what is handed on to groups below. */
  readonly handedOn: string;
  /** `cgroup.procs`: who is in the group itself. */
  readonly processes: string;
  /** This server. */
  readonly pid: number;
}

const BOUNDS: readonly Bound[] = ["pids", "memory", "cpu"];
const SERVER_LEAF = "troupe-server";
/** What gives a user groups of its own, where systemd starts programs. */
export const DELEGATE =
  "Start the server in a group of its own: systemd-run --user --scope -p Delegate=yes troupe serve (as a service: Delegate=yes).";

/**
 * The folders of this server's own groups, from `/proc/self/mountinfo` and `/proc/self/cgroup`.
 * Contract: pure; a group that is mounted from further down is not found.
 */
export function ownGroups(mountinfo: string, cgroup: string): OwnGroups {
  const mounts = mountinfo.split("\n").flatMap((line) => mountOf(line) ?? []);
  const found: Partial<Record<Bound | "unified", string>> = {};
  for (const line of cgroup.split("\n")) {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (names === undefined || path === undefined) continue;
    const kinds =
      names === "" ? ["unified" as const] : BOUNDS.filter((each) => names.split(",").includes(each));
    for (const kind of kinds) {
      const mount = mounts.find((each) =>
        kind === "unified"
          ? each?.type === "cgroup2"
          : each?.type === "cgroup" && each.options.includes(kind),
      );
      // From the leaf that it moved into before, the server's group is the one above.
      const group =
        kind === "unified" && path.endsWith(`/${SERVER_LEAF}`) ? path.slice(0, path.lastIndexOf("/")) : path;
      const folder = mount && folderIn(mount, group === "" ? "/" : group);
      if (folder !== undefined) found[kind] = folder;
    }
  }
  return found;
}

interface Mount {
  readonly root: string;
  readonly at: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** A line is: ids, device, root, mount point, options, further ones, `-`, type, source, options of the file system. */
function mountOf(line: string): Mount | null {
  const [before = "", after = ""] = line.split(" - ");
  const [root, at] = before.split(" ").slice(3);
  const [type, , options = ""] = after.split(" ");
  if (root === undefined || at === undefined || type === undefined) return null;
  return { root, at, type, options: options.split(",") };
}

function folderIn({ root, at }: Mount, path: string): string | undefined {
  if (root === "/") return path === "/" ? at : `${at}${path}`;
  if (path === root) return at;
  return path.startsWith(`${root}/`) ? `${at}${path.slice(root.length)}` : undefined;
}

/**
 * How a session could be held as a whole. Processes and memory must be bounded, else it is no hold; the share of the
 * processor is taken where it is to be had. Contract: pure; `unified` is `null` where version 2 is not mounted.
 */
export function chooseGroups(own: OwnGroups, unified: UnifiedFacts | null): GroupsFound {
  const { pids, memory, cpu } = own;
  if (pids !== undefined && memory !== undefined) {
    const places = Object.entries({ pids, memory, ...(cpu !== undefined && { cpu }) });
    return { plan: { version: 1, places: merged(places as readonly [Bound, string][]), moveInto: null } };
  }
  if (own.unified === undefined || unified === null) return { reason: `no cgroups are mounted here.` };
  const folder = own.unified;
  const [may, handed] = [unified.controllers, unified.handedOn].map((text) => text.trim().split(/\s+/));
  const has = (list: readonly string[] | undefined, bound: Bound): boolean => list?.includes(bound) === true;
  if (!has(may, "pids") || !has(may, "memory")) {
    return { reason: `the group ${folder} may bound no memory and processes. ${DELEGATE}` };
  }
  const bounds = BOUNDS.filter((each) => has(may, each));
  if (bounds.every((each) => has(handed, each))) {
    return { plan: { version: 2, places: [{ folder, bounds }], moveInto: null } };
  }
  // The kernel hands nothing on from a group that has processes itself, and others are not ours to move.
  if (unified.processes.trim() !== `${unified.pid}`) {
    return { reason: `other programs share the group ${folder}. ${DELEGATE}` };
  }
  return { plan: { version: 2, places: [{ folder, bounds }], moveInto: `${folder}/${SERVER_LEAF}` } };
}

/** Several bounds may be of one mount (`cpu,cpuacct`, or all of them). */
function merged(places: readonly (readonly [Bound, string])[]): readonly GroupPlace[] {
  const folders = [...new Set<string>(places.map(([, folder]) => folder))];
  return folders.map((folder) => ({
    folder,
    bounds: places.filter(([, each]) => each === folder).map(([bound]) => bound),
  }));
}

/** A line that is written into a file of a group. */
export interface GroupLine {
  readonly file: string;
  readonly text: string;
  /** Goes on without it: kernels that do not count swap have no such file. */
  readonly optional: boolean;
}

/**
 * A quarter of what any other program is given: enough to work beside others, and no loop keeps a server from its turn.
 * Less starves a build on a machine that is busy anyway.
 */
const CPU_SHARES = 256;
const CPU_WEIGHT = 25;
/**
 * A share does not hold what the kernel does on its own account for whoever keeps asking it: a loop of forks that fail
 * stalled everybody for 100 ms and more, until it was held to less than all processors.
 */
const CPU_PERIOD_US = 20_000;

/** What a session's group is told, in the order in which it must be. Contract: pure. */
export function groupLines(
  version: 1 | 2,
  bounds: readonly Bound[],
  caps: SessionCaps,
): readonly GroupLine[] {
  const { maxProcesses, maxMemoryBytes, maxCpus } = caps;
  const line = (file: string, figure: number | string, optional = false): GroupLine => ({
    file,
    text: `${figure}`,
    optional,
  });
  const quotaUs = Math.round(maxCpus * CPU_PERIOD_US);
  const lines: Readonly<Record<Bound, readonly GroupLine[]>> = {
    pids: [line("pids.max", maxProcesses)],
    memory:
      version === 1
        ? [
            line("memory.limit_in_bytes", maxMemoryBytes),
            line("memory.memsw.limit_in_bytes", maxMemoryBytes, true),
            line("memory.swappiness", 0, true),
          ]
        : [line("memory.max", maxMemoryBytes), line("memory.swap.max", 0, true)],
    // Refused where a group above is held to less already.
    cpu:
      version === 1
        ? [
            line("cpu.shares", CPU_SHARES),
            line("cpu.cfs_period_us", CPU_PERIOD_US, true),
            line("cpu.cfs_quota_us", quotaUs, true),
          ]
        : [line("cpu.weight", CPU_WEIGHT), line("cpu.max", `${quotaUs} ${CPU_PERIOD_US}`, true)],
  };
  return bounds.flatMap((bound) => lines[bound]);
}

/** What a group of this server is called: whose it is, so that one of a dead server is known. */
export interface GroupOwner {
  /** The number of the namespace that process ids count in. */
  readonly namespace: string;
  readonly pid: number;
  /** When it began, in ticks since the machine did: a number may be given anew. */
  readonly began: string;
}

/** From `/proc/PID/stat` and the link `/proc/PID/ns/pid`; `null` for texts that are neither. Contract: pure. */
export function ownerOf(stat: string, namespace: string): GroupOwner | null {
  const began = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  const pid = Number.parseInt(stat, 10);
  const number = /\d+/.exec(namespace)?.[0];
  if (began === undefined || number === undefined || Number.isNaN(pid)) return null;
  return { namespace: number, pid, began };
}

export function groupPrefix({ namespace, pid, began }: GroupOwner): string {
  return `troupe-${namespace}-${pid}-${began}-`;
}

/** Whose a group is by its name; `null` for one that no Troupe made. Contract: pure. */
export function ownerByName(name: string): GroupOwner | null {
  const [, namespace, pid, began] = /^troupe-(\d+)-(\d+)-(\d+)-\w+$/.exec(name) ?? [];
  if (namespace === undefined || pid === undefined || began === undefined) return null;
  return { namespace, pid: Number(pid), began };
}

/**
 * First into the groups, then what was to be started: whoever is in them before it begins cannot have left them. The
 * shell sets variables of its own, which are to be read by nobody.
 */
const JOIN = `count=$1; shift
while [ "$count" -gt 0 ]; do
  echo "$$" >"$1/cgroup.procs" || { echo 'troupe: the session could not be put under its bounds' >&2; exit 71; }
  count=$((count - 1)); shift
done
exec /usr/bin/env -i "$@"`;

/** Contract: pure. */
export function joiningArgv(
  groups: readonly string[],
  argv: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  return ["/bin/sh", "-c", JOIN, "troupe", `${groups.length}`, ...groups, ...argv];
}
