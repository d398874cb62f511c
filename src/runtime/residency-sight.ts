// What a server shows of its memory, read: whether a profile is in it, what else is, and whether anything moved. Pure.
//
// Two names with one digest are one model, which is loaded once; a model that somebody loaded with another context is
// not our profile, since our next turn would load it anew (scheduling.md, facts 9 and 10).

import { taggedModel, type LoadProfile } from "../core/load-profile.ts";
import type { LoadedModelInfo } from "../../providers/provider.ts";

/** A profile, and what was learnt of how its server shows it. */
export interface Sought {
  readonly profile: LoadProfile;
  /** Of the model's contents, where the server told. */
  readonly digest: string | null;
  /** The context with which the server showed it after we loaded it, where that is not the one we asked for. */
  readonly shownContext: number | null;
}

/** The model in memory, with whatever options. */
export function findModel(
  loaded: readonly LoadedModelInfo[],
  { profile, digest }: Pick<Sought, "profile" | "digest">,
): LoadedModelInfo | undefined {
  return loaded.find(
    (each) => taggedModel(each.name) === profile.model || (digest !== null && each.digest === digest),
  );
}

/** The profile in memory: the model, with the options that it is loaded with at our command. */
export function findProfile(loaded: readonly LoadedModelInfo[], sought: Sought): LoadedModelInfo | undefined {
  const found = findModel(loaded, sought);
  const asked = sought.profile.runner.contextTokens;
  if (!found || found.contextTokens === null || asked === undefined) return found;
  return found.contextTokens === asked || found.contextTokens === sought.shownContext ? found : undefined;
}

/** The same text as long as no model comes, goes, or becomes another. */
export function shapeOf(loaded: readonly LoadedModelInfo[]): string {
  const rows = loaded.map(({ name, vramBytes, sizeBytes, contextTokens, digest }) =>
    JSON.stringify([name, sizeBytes, vramBytes, contextTokens, digest]),
  );
  return rows.toSorted().join();
}

/** Used within so many milliseconds, a model of somebody else counts as at work. */
const AT_WORK_MS = 60_000;

interface Stranger {
  readonly model: LoadedModelInfo;
  /** When its use was last seen; a model that comes is one that is used. */
  readonly usedAt: number;
}

/** Models that others loaded on the same server, and which of them are at work. */
export class Strangers {
  #known: ReadonlyMap<string, Stranger> = new Map();

  /**
   * Takes in what the server shows now; `now` is the wall clock's, as the server's own times are.
   * Returns the names that came and that went since the last time.
   */
  see(models: readonly LoadedModelInfo[], now: number): { readonly came: string[]; readonly went: string[] } {
    const before = this.#known;
    // Each use moves the moment at which the model would go.
    const usedAt = (model: LoadedModelInfo, known: Stranger | undefined): number =>
      known && known.model.expiresAt === model.expiresAt ? known.usedAt : now;
    this.#known = new Map(
      models.map((model) => [model.name, { model, usedAt: usedAt(model, before.get(model.name)) }]),
    );
    const came = [...this.#known.keys()].filter((name) => !before.has(name));
    const went = [...before.keys()].filter((name) => !this.#known.has(name));
    return { came, went };
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  /** What those at work take of the GPU's memory: they cannot be moved out of our way. */
  bytesAtWork(now: number): number {
    let bytes = 0;
    for (const { model, usedAt } of this.#known.values()) {
      const isOverdue = model.expiresAt !== null && model.expiresAt < now;
      if (isOverdue || now - usedAt < AT_WORK_MS) bytes += model.vramBytes;
    }
    return bytes;
  }
}
