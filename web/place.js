// Where the page stands: the place in the address as a signal, and the ways to go elsewhere.

import { signal } from "@preact/signals";
import { hashOf, placeOf } from "./model/route.js";

/** @typedef {import("./model/route.js").Place} Place */

export const place = signal(placeOf(location.hash));

/** From now on, and as it is now: the token may have been taken out of the address since. */
export function followAddress() {
  const look = () => (place.value = placeOf(location.hash));
  addEventListener("hashchange", look);
  look();
}

/**
 * Goes there; the browser's way back leads here.
 * @param {Partial<Place>} to
 */
export function goTo(to) {
  location.hash = hashOf(to);
}

/**
 * Changes what the address says of this place, without a step in the browser's history.
 * @param {Partial<Place>} change
 */
export function amend(change) {
  const next = { ...place.value, ...change };
  history.replaceState(null, "", hashOf(next));
  place.value = next;
}
