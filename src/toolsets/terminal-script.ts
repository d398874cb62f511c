// The shell of a session, as programs for bash: one that stays in charge, one in which the commands of the model run,
// and the words that are sent to them. No word of a model is ever part of a program here: commands are data that is
// read, so that no quoting can go wrong.
//
// D1. Commands run one after the other in one shell, which keeps its folder, its variables and its jobs.
// D2. What runs in the background can be killed while a command runs: another shell does it.
// D3. A shell that ends (`exit`) is followed by another one in the same sandbox; its background jobs go on.

/** Long commands that one session may run beside each other, each on a channel of its own. */
export const MAX_JOBS = 4;
/** The descriptors of the channels inside: 3 and the next ones. */
const FIRST_CHANNEL = 3;

/** The channel of a job, counted from 0. */
export function channelOf(slot: number): number {
  return FIRST_CHANNEL + slot;
}

const CHANNELS = Array.from({ length: MAX_JOBS }, (_, slot) => channelOf(slot));
const CLOSED = [...CHANNELS, 8, 7].map((fd) => `${fd}>&-`).join(" ");

/**
 * Reads commands from 8 and says on 7 what came of them. `$1` is the session's word. Programs are found before a command
 * can set a PATH, and no command makes the functions anew.
 */
const SHELL = String.raw`
__troupe_word=$1 __troupe_cat=$(type -P cat) __troupe_setsid=$(type -P setsid) __troupe_bash=$BASH
cd -- "$2" 2>/dev/null
set --
# One write: what a job says at the same moment comes before it or after it.
__troupe_mark() {
  local said
  builtin printf -v said '\037%s' "$@"
  builtin printf '\036%s%s\036' "$__troupe_word" "$said"
}
__troupe_start() (
  exec 7>&- 8<&-
  exec 0< <(exec "$__troupe_cat" <&"$1")
  feeder=$!
  exec > >(exec "$__troupe_cat" >&"$1") 2>&1
  exec ${CHANNELS.map((fd) => `${fd}>&-`).join(" ")}
  "$__troupe_setsid" "$__troupe_bash" -c "$2" <&0 &
  job=$!
  __troupe_mark started "$job" "$feeder"
  exec <&- 2>/dev/null
  wait "$job"
  code=$?
  kill "$feeder" 2>/dev/null
  __troupe_mark ended "$code"
)
readonly __troupe_word __troupe_cat __troupe_setsid __troupe_bash
readonly -f __troupe_mark __troupe_start
while IFS= read -r -d '' __troupe_command <&8; do
  case $__troupe_command in
    start:*)
      __troupe_command=\${__troupe_command#start:}
      __troupe_start "\${__troupe_command%%:*}" "\${__troupe_command#*:}" &
      disown
      ;;
    run:*) eval "\${__troupe_command#run:}" </dev/null ${CLOSED} ;;
  esac
  __troupe_mark done "$?" "$PWD" >&7
done
`.replaceAll("\\$", "$");

/** Stays in charge: `$1` is the session's word, `$2` the shell above. Everything is written by way of a real pipe. */
const KEEPER = String.raw`
exec > >(exec cat) 2>&1
exec 9> >(
  exec 8<&0 </dev/null 7>&1
  folder=$PWD
  while kill -0 "$$" 2>/dev/null; do
    bash --noprofile --norc -c "$2" bash "$1" "$folder" 9>&-
    code=$?
    printf '\036%s\037shell_ended\037%s\037%s\036' "$1" "$code" "$folder" >&7
    sleep 0.05
  done
)
while IFS= read -r -d '' order; do
  case $order in
    kill:*) kill -KILL -- "\${order#kill:}" 2>/dev/null ;;
    *) printf '%s\0' "$order" >&9 ;;
  esac
done
`.replaceAll("\\$", "$");

/** What runs inside the sandbox. Contract: pure; `word` is hexadecimal. */
export function sessionArgv(word: string): readonly [string, ...string[]] {
  return ["bash", "--noprofile", "--norc", "-c", KEEPER, "troupe", word, SHELL];
}

/** Contract: pure; `command` holds no NUL. */
export function runOrder(command: string): string {
  return `run:${command}\0`;
}

export function startOrder(slot: number, command: string): string {
  return `start:${channelOf(slot)}:${command}\0`;
}

/** `pid` names a process, or with a minus sign a group. */
export function killOrder(pid: number): string {
  return `kill:${pid}\0`;
}
