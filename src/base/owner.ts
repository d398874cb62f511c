// Whose a file is, on systems that tell. A file of somebody else decides nothing for this person; root may write
// everything anyway, so its files are as good as one's own.

import system from "node:process";

/** What `stat` tells. */
export interface Ownership {
  readonly uid: number;
  readonly mode: number;
}

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

/** The user that this process acts as; `null` where the system has no such numbers. */
export function currentUid(): number | null {
  return system.geteuid?.() ?? null;
}

/** The number of this process, for people to find it by. */
export function currentPid(): number {
  return system.pid;
}

/** How many processors this process may use. */
export function processorCount(): number {
  return Math.max(1, navigator.hardwareConcurrency);
}

/** Contract: true where there are no owners (`uid` is `null`); never throws. */
export function isOwnOrRoots({ uid }: Pick<Ownership, "uid">, me: number | null): boolean {
  return me === null || uid === me || uid === ROOT;
}

/** Why a file is not to be trusted with what it says, in words that follow "it"; `null` when it is. Never throws. */
export function distrust(facts: Ownership, me: number | null): string | null {
  if (me === null) return null;
  if (!isOwnOrRoots(facts, me)) return `belongs to user ${facts.uid}, and you are user ${me}`;
  if ((facts.mode & WRITABLE_BY_OTHERS) === 0) return null;
  return `can be written by others (mode ${(facts.mode & 0o777).toString(8).padStart(4, "0")})`;
}
