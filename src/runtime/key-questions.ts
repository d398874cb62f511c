// Questions to a server that are no generation (who are you, what have you), asked with one key after the other until one
// is taken: a key that is refused says nothing of the server. What became of keys in such questions is told, not kept.

import { ProviderError, type ProviderErrorKind } from "../base/errors.ts";
import type { RefusedKey } from "../config/discovery.ts";
import type { Credential } from "../credentials/credential.ts";

/** What another key may mend. */
const OF_THE_KEY: ReadonlySet<ProviderErrorKind> = new Set(["auth", "quota", "rate_limited"]);

/** With what came of it; `refused` are the keys that were tried before, or all of them. */
export type Asked<T> =
  | {
      readonly answered: true;
      readonly answer: T;
      readonly key: Credential | null;
      readonly refused: readonly RefusedKey[];
    }
  | { readonly answered: false; readonly thrown: unknown; readonly refused: readonly RefusedKey[] };

/** Contract: never rejects; without a key (`[null]`) it is asked once. `keys` are not empty. */
export async function askWithKeys<T>(
  keys: readonly (Credential | null)[],
  ask: (key: Credential | null) => Promise<T>,
): Promise<Asked<T>> {
  const refused: RefusedKey[] = [];
  let first: unknown;
  for (const key of keys) {
    try {
      return { answered: true, answer: await ask(key), key, refused };
    } catch (thrown) {
      first ??= thrown;
      if (!(thrown instanceof ProviderError) || !OF_THE_KEY.has(thrown.providerKind)) {
        return { answered: false, thrown, refused };
      }
      if (key) refused.push({ fingerprint: key.fingerprint, source: key.source, reason: thrown.message });
    }
  }
  return { answered: false, thrown: first, refused };
}
