// How git is asked about a repository that may be hostile: nothing that the repository says is run. Pure.
//
// N1. No command gets the server's environment, the person's git config, or a network.
// N2. What reads or writes files of a checkout (where filters and the watcher of files would be run) does so with a
//     git folder of our own, whose config is ours; the repository lends its objects alone.
// N3. What has to be done in the repository itself (branches, the list of worktrees) touches no file of a checkout,
//     and its hooks are looked for where none are.

/** Overrides for commands in the repository's own config. */
const OVERRIDES: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.untrackedCache=false",
  "core.pager=cat",
  "core.sshCommand=false",
  "core.alternateRefsCommand=",
  "credential.helper=",
  "protocol.allow=never",
  "gc.auto=0",
  "maintenance.auto=false",
  "submodule.recurse=false",
  "worktree.useRelativePaths=false",
  // Two servers may be at work in one repository, and a person beside them.
  "core.filesRefLockTimeout=10000",
  "core.packedRefsTimeout=10000",
  "log.showSignature=false",
  // The owner of the files may be another: nothing of theirs is run, which is what git asks this for.
  "safe.directory=*",
];

export interface GitPlace {
  /** Absolute path of a git folder; found by git from the working directory when absent. */
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly index?: string;
  /** A folder of objects that are lent. */
  readonly objects?: string;
  /** Whom git becomes, where root started the server and another owns the repository. */
  readonly as?: { readonly uid: number; readonly gid: number } | null;
  /** A file that is read by git, absolute. */
  readonly stdin?: string;
}

/** The argument list of one git command. */
export function gitArgv(
  args: readonly string[],
  { gitDir, workTree, as, stdin }: GitPlace,
): readonly [string, ...string[]] {
  const become = as ? ["setpriv", "--reuid", `${as.uid}`, "--regid", `${as.gid}`, "--clear-groups"] : [];
  const read = stdin === undefined ? [] : ["sh", "-c", 'exec "$@" <"$0"', stdin];
  const argv = [
    ...become,
    ...read,
    "git",
    "--no-pager",
    ...OVERRIDES.flatMap((override) => ["-c", override]),
    ...(gitDir === undefined ? [] : [`--git-dir=${gitDir}`]),
    ...(workTree === undefined ? [] : [`--work-tree=${workTree}`]),
    ...args,
  ];
  return argv as unknown as readonly [string, ...string[]];
}

/** The whole environment of git (keeps N1). `searchPath` is where git itself is found. */
export function gitEnv(searchPath: string, { index, objects }: GitPlace): Readonly<Record<string, string>> {
  return {
    PATH: searchPath,
    HOME: "/nonexistent",
    XDG_CONFIG_HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "false",
    GIT_SSH_COMMAND: "false",
    GIT_ALLOW_PROTOCOL: "none",
    GIT_NO_LAZY_FETCH: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    ...(index !== undefined && { GIT_INDEX_FILE: index }),
    // Quoted, so that a colon in the path is part of it.
    ...(objects !== undefined && { GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(objects) }),
  };
}
