// The arguments of bubblewrap, decided from plain data: what of the machine is seen inside, what is not, and as whom.
// It looks at nothing and starts nothing.
//
// B1. What is mounted is listed here; everything else of the machine is not there, sockets of other programs included.
// B2. Only the workspace, what was shown for writing beside it, and bounded memory are written to; what is pinned in the workspace can neither be changed nor
//     be moved away with a folder around it.
// B3. No capability, no further user namespace, no process of outside, no network unless it was granted, no
//     environment, no terminal; and nothing outlives the server.

/** A thing of the workspace that is shown and kept as it is, or a folder beside it that is shown. */
export interface Pin {
  /** Absolute, links resolved: where it is seen. */
  readonly path: string;
  /** Where it lies outside, when that is elsewhere. */
  readonly from?: string;
  /** `in_place` can be written, and cannot be moved away. */
  readonly kind: "read_only" | "in_place";
}

/** How the top of this machine's file system is laid out. */
export interface HostLayout {
  /** `/bin` → `usr/bin` where it is a link, `null` where it is a folder. */
  readonly links: Readonly<Record<string, string | null>>;
}

export interface BubblewrapPlan {
  readonly bwrap: string;
  /** Whom to become before anything else; `null` stays who starts it. */
  readonly drop: { readonly setpriv: string; readonly uid: number; readonly gid: number } | null;
  readonly nice: string | null;
  readonly layout: HostLayout;
  /** Absolute, links resolved; seen at its own path. */
  readonly workspace: string;
  readonly pins: readonly Pin[];
  /** Further folders to read, each with where it is seen; absolute: toolchains outside of /usr. */
  readonly mounts: readonly { readonly source: string; readonly path: string }[];
  readonly network: boolean;
  /** The descriptor that its filter of calls is read from; `null` for none. */
  readonly filter: number | null;
  /** Bytes of /tmp and of shared memory, each. */
  readonly scratchBytes: number;
  readonly argv: readonly string[];
}

/** B3, but for the network and who it is. */
const WALLS =
  "--unshare-all --unshare-user --disable-userns --cap-drop ALL --new-session --die-with-parent --clearenv --hostname troupe".split(
    " ",
  );

/** What programs need of /etc, none of it secret. */
const ETC = [
  "alternatives",
  "ca-certificates",
  "group",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "mime.types",
  "nsswitch.conf",
  "os-release",
  "passwd",
  "ssl/certs",
  "ssl/openssl.cnf",
] as const;
/** What names and addresses need beside that. */
const ETC_OF_NETWORK = ["hosts", "resolv.conf", "services", "protocols"] as const;

/** Folders that a workspace may neither be, hold, nor lie in: the walls are built of them. */
const SYSTEM = [
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/lib",
  "/lib32",
  "/lib64",
  "/proc",
  "/run",
  "/sbin",
  "/sys",
];
const SYSTEM_TOO = ["/usr", "/var/run", "/var/lib"];

/** Whether `path` is `folder` or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** Why this folder can be no workspace of a sandbox, or `null`. */
export function workspaceProblem(workspace: string): string | null {
  const found = [...SYSTEM, ...SYSTEM_TOO].find(
    (folder) => isWithin(workspace, folder) || isWithin(folder, workspace),
  );
  if (workspace === "/tmp") return "it is /tmp itself, which is a scratch folder of its own inside";
  return found === undefined ? null : `it is, holds or lies in ${found}, which the machine itself is made of`;
}

/** The environment inside, whole. */
export function sandboxEnv(mounts: readonly string[]): Readonly<Record<string, string>> {
  const places = [...mounts.map((mount) => `${mount}/bin`), "/usr/local/bin", "/usr/bin", "/bin"];
  return {
    PATH: places.join(":"),
    HOME: "/tmp",
    TMPDIR: "/tmp",
    LANG: "C.UTF-8",
    TERM: "dumb",
    PAGER: "cat",
    GIT_PAGER: "cat",
    GIT_TERMINAL_PROMPT: "0",
    NO_COLOR: "1",
  };
}

/** Keeps B1, B2 and B3. Contract: pure. */
export function bubblewrapArgv(plan: BubblewrapPlan): readonly [string, ...string[]] {
  const { bwrap, drop, nice, network, workspace } = plan;
  const become = drop
    ? [drop.setpriv, "--reuid", `${drop.uid}`, "--regid", `${drop.gid}`, "--clear-groups", "--no-new-privs"]
    : [];
  const argv = [
    ...become,
    ...(nice === null ? [] : [nice, "-n", "19"]),
    bwrap,
    ...WALLS,
    ...(network ? ["--share-net"] : []),
    ...(plan.filter === null ? [] : ["--seccomp", `${plan.filter}`]),
    ...Object.entries(sandboxEnv(plan.mounts.map(({ path }) => path))).flatMap(([name, value]) => [
      "--setenv",
      name,
      value,
    ]),
    ...systemMounts(plan),
    ...scratch(plan.scratchBytes),
    // After /tmp: a toolchain may lie there.
    ...plan.mounts.flatMap(({ source, path }) => ["--ro-bind", source, path]),
    "--bind",
    workspace,
    workspace,
    ...plan.pins.flatMap(pinned),
    // What bubblewrap laid out itself is memory too, and has no bound of its own.
    "--remount-ro",
    "/",
    "--chdir",
    workspace,
    "--",
    ...plan.argv,
  ];
  return argv as unknown as readonly [string, ...string[]];
}

function systemMounts({ layout, network }: BubblewrapPlan): readonly string[] {
  const tops = Object.entries(layout.links).flatMap(([path, target]) =>
    target === null ? ["--ro-bind", path, path] : ["--symlink", target, path],
  );
  const etc = [...ETC, ...(network ? ETC_OF_NETWORK : [])].map((name) => `/etc/${name}`);
  return ["--ro-bind", "/usr", "/usr", ...tops, ...etc.flatMap((path) => ["--ro-bind-try", path, path])];
}

function scratch(bytes: number): readonly string[] {
  const memory = (path: string): readonly string[] => ["--size", `${bytes}`, "--tmpfs", path];
  return [
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    ...memory("/dev/shm"),
    "--remount-ro",
    "/dev",
    ...memory("/tmp"),
  ];
}

function pinned({ path, from = path, kind }: Pin): readonly string[] {
  // A mount of itself cannot be renamed, so that what is pinned below stays where it is looked for.
  return [kind === "read_only" ? "--ro-bind" : "--bind", from, path];
}
