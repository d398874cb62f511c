// The first program inside a sandbox: it bounds what follows, makes sure that the folders which were mounted are those
// that were looked at, lets go of descriptors that are not its own, and becomes the program that was asked for. It
// runs before any word of a model does.

import type { PlacedPin } from "./workspace-place.ts";

/** A folder, and what is to be there. */
interface Marked {
  readonly path: string;
  readonly mark: string;
}

export interface GuardPlan {
  readonly maxProcesses: number;
  /** Bytes of memory that one process may claim for itself. */
  readonly maxMemoryBytes: number;
  readonly channels: number;
  readonly workspace: Marked;
  readonly mounts: readonly Marked[];
  readonly pins: readonly PlacedPin[];
  readonly argv: readonly string[];
}

/** What the guard ends with when it does not let the program run; its word stands on stderr. */
export const GUARD_REFUSED = 71;
/** A file that grows beyond it is cut off there: a full disk is the whole machine's trouble. */
const MAX_FILE_BYTES = 4 * 1024 * 1024 * 1024;

const SCRIPT = String.raw`
refuse() { printf 'troupe: %s\n' "$1" >&2; exit ${GUARD_REFUSED}; }
processes=$1 data=$2 file=$3 last=$4 count=$5; shift 5
marks=() paths=()
while [ "$count" -gt 0 ]; do
  marks+=("$1") paths+=("$2")
  count=$((count - 1)); shift 2
done
found=$(stat -c %d:%i -- "\${paths[@]}") || refuse 'a folder was swapped while it was mounted'
[ "$found" = "$(printf '%s\n' "\${marks[@]}")" ] || refuse 'a folder was swapped while it was mounted'
[ -w . ] || refuse "the workspace cannot be written by uid $UID, as which commands run: a person must chown it to that user, or start Troupe as its owner"
echo 1000 >/proc/self/oom_score_adj || refuse 'it cannot be made the first to go when memory is short'
ulimit -c 0 && ulimit -d "$data" && ulimit -f "$file" && ulimit -u "$processes" || refuse 'its limits cannot be set'
for each in /proc/self/fd/*; do
  each=\${each##*/}
  if [ "$each" -gt "$last" ]; then eval "exec $each>&-"; fi
done
exec "$@"
`.replaceAll("\\$", "$");

/** Contract: pure. */
export function guardedArgv(plan: GuardPlan): readonly [string, ...string[]] {
  const { workspace, mounts, pins } = plan;
  const places = [workspace, ...mounts, ...pins];
  const marked = places.flatMap(({ mark, path }) => [mark, path]);
  const limits = [
    plan.maxProcesses,
    Math.floor(plan.maxMemoryBytes / 1024),
    Math.floor(MAX_FILE_BYTES / 1024),
    2 + plan.channels,
    places.length,
  ];
  // With a socket for its input bash reads ~/.bashrc by itself, which a task may have written.
  return [
    "bash",
    "--noprofile",
    "--norc",
    "-c",
    SCRIPT,
    "troupe",
    ...limits.map(String),
    ...marked,
    ...plan.argv,
  ];
}
