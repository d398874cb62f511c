// What doctor says of the store: where it lies, what it survives, how it stands and who has it. It looks and changes
// nothing, and leaves a thorough reading to `db check`.

import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { StoreSettings } from "../core/settings.ts";
import { SURVIVES } from "../open-store.ts";
import { lookAtSqlite, type SqliteLook } from "../store/sqlite-look.ts";
import { ok, size, type Check } from "./doctor-checks.ts";
import { whyUnwritable } from "./unwritable.ts";

/** Below this a day of work may fill the disk. */
const LITTLE_BYTES = 256 * 1_048_576;

export interface StoreFacts {
  readonly settings: StoreSettings;
  /** What lies there; `null` where nothing does. */
  readonly look: SqliteLook | null;
  /** Bytes that the disk has left; `null` where it does not tell. */
  readonly freeBytes: number | null;
  /** Why the store could not be written; `null` when it could. */
  readonly unwritable: string | null;
}

/** Contract: never throws. */
export async function examineStore(settings: StoreSettings): Promise<readonly Check[]> {
  const { path } = settings;
  if (path === null) return storeChecks({ settings, look: null, freeBytes: null, unwritable: null });
  const look = lookAtSqlite(path);
  const unwritable = (await whyUnwritable(dirname(path))) ?? (look && (await whyUnwritable(path)));
  return storeChecks({ settings, look, freeBytes: await freeBytesAt(dirname(path)), unwritable });
}

/** The disk of a folder that may not exist yet. */
async function freeBytesAt(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return dirname(folder) === folder ? null : freeBytesAt(dirname(folder));
  }
}

/** Pure. One line of the store itself, and one for each thing that is wrong with it. */
export function storeChecks(facts: StoreFacts): readonly Check[] {
  const { settings, look, unwritable } = facts;
  const { path, durability } = settings;
  if (path === null) return [ok("store", SURVIVES.none, "store.durability: full keeps tasks in a file")];
  const words = `${durability}: ${SURVIVES[durability]}`;
  const wrong = problemOf(path, look, unwritable);
  const first =
    look === null
      ? `none yet: the server makes ${path} when it starts (${words})`
      : [`${path} (${words})`, ...standing(look)].join(", ");
  const free = freeCheck(facts);
  if (wrong === null) return [ok("store", look === null ? first : `${first}${freeText(facts)}`), ...free];
  return [{ about: "store", level: "problem", ...wrong }, ...free];
}

function standing({ bytes, version, owner, checked }: SqliteLook): readonly string[] {
  const since = owner?.since == null ? "" : ` since ${owner.since}`;
  const pid = owner?.pid == null ? "" : ` (pid ${owner.pid}${since})`;
  return [
    size(bytes),
    ...(version === null ? [] : [`version ${version}`]),
    owner === null ? "no server has it" : `a server has it${pid}`,
    ...(checked ? ["a quick check found nothing"] : []),
  ];
}

type Wrong = Pick<Check, "text" | "mend">;

function problemOf(path: string, look: SqliteLook | null, unwritable: string | null): Wrong | null {
  if (look !== null && look.problem !== null) {
    return {
      text: `${path} is no store that can be used: ${look.problem}`,
      mend: "troupe db check says more; a copy that troupe backup made can take its place. Or use another store.path.",
    };
  }
  if (look !== null && look.version !== null && look.version > look.newestVersion) {
    const text = `${path} has version ${look.version}, and this Troupe knows versions up to ${look.newestVersion}`;
    return { text, mend: "Start the newer Troupe that wrote it, or use another store.path." };
  }
  if (unwritable === null) return null;
  const mend = "Make it writable, point TROUPE_HOME or store.path elsewhere, or set store.durability: none.";
  return { text: `${path} cannot be written (${unwritable})`, mend };
}

function freeText({ freeBytes }: StoreFacts): string {
  return freeBytes === null ? "" : `, ${size(freeBytes)} free`;
}

function freeCheck({ freeBytes, settings }: StoreFacts): readonly Check[] {
  if (freeBytes === null || freeBytes >= LITTLE_BYTES) return [];
  const text = `only ${size(freeBytes)} are free on the disk of ${settings.path}`;
  return [
    {
      about: "store",
      level: "warn",
      text,
      mend: "Free some: a full disk refuses new work until there is room.",
    },
  ];
}
