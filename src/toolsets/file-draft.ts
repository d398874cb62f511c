// The names under which files are written before they take their place. A server that dies in between leaves one
// behind: no tool lists, searches or writes it, and the same call, made again, takes it away. Pure.

import { sha256 } from "../base/ids.ts";

const DRAFT = /^\.troupe-[0-9a-f]{24}\.tmp$/;

/** The same for the same call, and for no other. */
export function draftName(taskId: string, callId: string): string {
  return `.troupe-${sha256(`${taskId}\0${callId}`).slice(0, 24)}.tmp`;
}

export function isDraft(name: string): boolean {
  return DRAFT.test(name);
}
