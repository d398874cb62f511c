// The token of this tab: it comes in the address's fragment, which no server sees, is kept for the tab alone and is
// taken out of the address bar at once, so that neither history nor a shared screen keeps it.

import { signal } from "@preact/signals";
import { tabMemory } from "./browser.js";
import { tokenIn } from "./model/route.js";

const NAME = "troupe.token";

/** The token, or `null` while there is none that works. */
export const token = signal(tabMemory.get(NAME));
/** Why the last one was given up, in words. */
export const refusal = signal("");

/** Takes the token out of the address, where one is. */
export function takeToken() {
  const { token: found, rest } = tokenIn(location.hash);
  if (found === null) return;
  history.replaceState(null, "", rest);
  giveToken(found);
}

/** @param {string} text */
export function giveToken(text) {
  refusal.value = "";
  token.value = text;
  tabMemory.set(NAME, text);
}

/**
 * Forgets the token.
 * @param {string} why
 */
export function dropToken(why) {
  refusal.value = why;
  token.value = null;
  tabMemory.set(NAME, null);
}
