// The forest that a page shows: as it is, or, where the page's slider has gone back, as it was.

import { createContext } from "preact";
import { useContext, useEffect, useMemo } from "preact/hooks";
import { clock, currentForest, revision } from "../box.js";
import { forestAt } from "../model/forest.js";
import { Past } from "../past.js";

/**
 * @typedef {object} Shown
 * @property {import("../model/forest.js").Forest} forest
 * @property {number} time That of the moment that is shown, in milliseconds since the epoch.
 */

const ShownContext = createContext(/** @type {Shown | null} */ (null));

/** Wraps what is to be shown as it was; `null` stands for now. */
export const ShownForest = ShownContext.Provider;

/** @returns {Shown} */
export function useShownForest() {
  const shown = useContext(ShownContext);
  if (shown !== null) return shown;
  void revision.value;
  return { forest: currentForest(), time: clock.value };
}

/**
 * A tree as it was, read when it is first gone back to; `null` for now, and until it is read.
 * @param {string | null} rootId
 * @param {number | null} at
 * @returns {Shown | null}
 */
export function useTreeAt(rootId, at) {
  const isPast = at !== null && rootId !== null;
  const past = useMemo(() => (isPast ? new Past({ root_id: rootId }) : null), [isPast, rootId]);
  useEffect(() => () => past?.close(), [past]);
  const events = past?.events.value ?? null;
  return useMemo(() => {
    if (at === null || events === null || events.length === 0) return null;
    const time = events.findLast((event) => event.cursor <= at)?.time ?? 0;
    return { forest: forestAt(events, at), time };
  }, [events, at]);
}
