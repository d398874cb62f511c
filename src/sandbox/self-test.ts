// Whether the walls of a sandbox stand on this machine: known ways out are tried from inside, and one that works closes
// the terminal. It tries what is known; a new hole of the kernel it cannot find.

import type { Bait } from "../base/bait.ts";

/** What is outside and must not be reached. */
export interface Outside {
  /** A file that everybody may read. */
  readonly secretPath: string;
  readonly secret: string;
  readonly socketPath: string;
  readonly bait: Bait;
  readonly network: boolean;
  /** Whether system calls are filtered on this machine. */
  readonly filtered: boolean;
}

/** What came of one try from inside. */
export interface Attempt {
  readonly name: string;
  readonly result: "stood" | "fell" | "untested";
}

/** In words that follow "it got through:". */
const WORDS: Readonly<Record<string, string>> = {
  write_system: "a system folder was written",
  remount: "a read-only folder was mounted anew for writing",
  mount: "something was mounted",
  capabilities: "capabilities were left",
  user_namespace: "a further user namespace was made",
  host_secret: "/etc/shadow was read",
  host_file: "a file outside of the workspace was reached",
  host_socket: "a socket of this machine was in sight",
  host_network: "a port of this machine answered",
  environment: "the server's environment was read",
  descriptors: "a descriptor of the server was left open",
  kernel_settings: "a setting of the kernel was changed",
  calls: "system calls were not filtered",
};

/** The tries, as a program for bash; it says one line for each, and `end`. Contract: pure. */
export function escapeScript({ secretPath, socketPath, bait, network, filtered }: Outside): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const reach = network
    ? "echo 'untested host_network'"
    : `attempt host_network 'exec 9<>/dev/tcp/127.0.0.1/${bait.port}'`;
  const calls = filtered
    ? "attempt calls '! grep -q -E \"^Seccomp:[[:space:]]+2\" /proc/self/status'"
    : "echo 'untested calls'";
  return String.raw`
attempt() { if (eval "$2") >/dev/null 2>&1; then echo "fell $1"; else echo "stood $1"; fi; }
needs() { if command -v "$1" >/dev/null; then attempt "$2" "$3"; else echo "untested $2"; fi; }
# A try whose program is missing fails like one that a wall stopped.
for each in cat grep head readlink rm; do command -v "$each" >/dev/null || { echo "it needs $each" >&2; exit 1; }; done
secret=${quoted(secretPath)} socket=${quoted(socketPath)}
attempt write_system 'echo x >/usr/.troupe-escape || echo x >/.troupe-escape || echo x >/dev/.troupe-escape'
needs mount remount 'mount -o remount,bind,rw /usr || mount -o remount,bind,rw /'
needs mount mount 'mount -t tmpfs none /usr'
attempt capabilities 'grep -E "^Cap(Prm|Eff|Bnd|Amb):" /proc/self/status | grep -v -E ":[[:space:]]+0+$"'
needs unshare user_namespace 'unshare --user true || unshare --user --map-root-user true'
attempt host_secret 'head -c 1 </etc/shadow || head -c 1 </proc/1/root/etc/shadow'
attempt host_file 'cat "$secret" || cat "/proc/1/root$secret" || cat "/proc/1/cwd$secret"'
# Inside it may become a file in memory; whether it changed the one outside is looked at from there.
echo inside >"$secret" 2>/dev/null
attempt host_socket '[ -e "$socket" ] || [ -e /run/docker.sock ] || [ -e /var/run/docker.sock ] || [ -e /run/dbus ]'
${reach}
attempt environment 'cat /proc/1/environ | grep -q .'
attempt descriptors 'for each in /proc/self/fd/* /proc/1/fd/*; do case $(readlink "$each") in socket:*|/*/troupe*) [ "\${each##*/}" -gt 2 ] && exit 0;; esac; done; exit 1'
attempt kernel_settings 'echo 1 >/proc/sys/vm/drop_caches || echo h >/proc/sysrq-trigger'
${calls}
echo x >.troupe-self-test && rm .troupe-self-test && echo end
`.replaceAll("\\$", "$");
}

/** Contract: pure; `null` for an output that does not reach its end. */
export function attemptsIn(output: string): readonly Attempt[] | null {
  const lines = output.trim().split("\n");
  if (lines.at(-1) !== "end") return null;
  return lines.slice(0, -1).flatMap((line): readonly Attempt[] => {
    const [result, name] = line.split(" ");
    if (name === undefined || (result !== "stood" && result !== "fell" && result !== "untested")) return [];
    return [{ name, result }];
  });
}

/** Why the walls do not stand, or `null`. Contract: pure. */
export function breachOf(attempts: readonly Attempt[] | null, complaint: string): string | null {
  if (attempts === null) {
    const said = complaint.trim().slice(0, 400) || "it said nothing";
    return `the self-test could not run to its end (${said}).`;
  }
  const missing = Object.keys(WORDS).filter((name) => !attempts.some((each) => each.name === name));
  if (missing.length > 0) return `the self-test left out ${missing.join(", ")}.`;
  const fell = attempts.filter(({ result }) => result === "fell").map(({ name }) => WORDS[name] ?? name);
  if (fell.length === 0) return null;
  return `the self-test got through its walls: ${fell.join("; ")}.`;
}
