// Opens the store that the config names, and says in words what an acknowledgement of it means. What a store refuses when
// it is opened is for a person to mend, so it comes out as an error of the configuration; nothing was changed then.

import type { Clock } from "./base/clock.ts";
import { ConfigError, messageOf, StoreError, TroupeError } from "./base/errors.ts";
import { silentLogger, type Logger } from "./base/log.ts";
import type { Random } from "./base/ids.ts";
import type { StoreSettings } from "./core/settings.ts";
import { MemoryStore } from "./store/memory.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { Durability, Store } from "./store/store.ts";

/** What each durability survives, in the words of every surface. */
export const SURVIVES: Readonly<Record<Durability, string>> = {
  full: "survives a power loss",
  normal: "survives a crash of the server, and all but the last moments before a power loss",
  none: "in memory: lost when the server stops",
};

/** What a store has of the world around it. */
export interface StoreWorld {
  readonly clock: Clock;
  readonly random: Random;
  /** Is told of what cannot be read; nobody by default. */
  readonly logger?: Logger;
}

/** Contract: throws ConfigErrors, with the code of the store's refusal or `store_unusable`; the caller closes the store. */
export function openStore(
  settings: StoreSettings,
  { clock, random, logger = silentLogger }: StoreWorld,
): Store {
  const { path, durability } = settings;
  if (path === null || durability === "none") return new MemoryStore({ clock, random });
  try {
    return openSqliteStore({ path, clock, random, durability, logger });
  } catch (error) {
    throw refusalOf(error, path);
  }
}

/** What a store threw when it was opened, as something that a person can mend. Never throws. */
export function refusalOf(thrown: unknown, path: string): TroupeError {
  if (!(thrown instanceof TroupeError)) {
    return new ConfigError(
      "store_unusable",
      `Expected to open the store ${path}, got: ${messageOf(thrown)}. Make its folder writable, point TROUPE_HOME or ` +
        "store.path to one that is, or keep everything in memory with store.durability: none.",
      { cause: thrown, details: { path, config_key: "store.path" } },
    );
  }
  if (!(thrown instanceof StoreError)) return thrown;
  const details = { ...thrown.details, path, config_key: "store.path" };
  return new ConfigError(thrown.code, thrown.message, { cause: thrown, details });
}

export interface Recovered {
  /** Tasks that had begun and go on. */
  readonly resumed: number;
  /** Tasks that had not begun and wait as before. */
  readonly queued: number;
  /** Tasks that could not go on, and whose end says why. */
  readonly failed: number;
}

/** `path` is `null` for a store that the program brought itself. */
export function storeLine(
  store: { readonly durability: Durability; readonly path: string | null },
  found: Recovered,
): string {
  const { durability, path } = store;
  const words = SURVIVES[durability];
  const where =
    path !== null
      ? `${path} (${durability}: ${words})`
      : durability === "none"
        ? words
        : `${durability}: ${words}`;
  return [`store: ${where}`, ...foundLine(found)].join("; ");
}

function foundLine({ resumed, queued, failed }: Recovered): readonly string[] {
  const tasks = (count: number): string => `${count} ${count === 1 ? "task" : "tasks"}`;
  const parts = [
    ...(resumed > 0 ? [`${tasks(resumed)} ${resumed === 1 ? "goes" : "go"} on`] : []),
    ...(queued > 0 ? [`${tasks(queued)} ${queued === 1 ? "waits" : "wait"} in the queue`] : []),
    ...(failed > 0 ? [`${tasks(failed)} could not go on (tasks ls --state failed shows them)`] : []),
  ];
  return parts.length === 0 ? [] : [parts.join(", ")];
}
