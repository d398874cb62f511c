// Whose token was sent. Shared by the gate, which finds tokens in headers, and by sockets, which find them in their
// first message.
//
// T2. Tokens are compared through their hashes, all of them, in a time that does not depend on where they differ.

import { sha256 } from "../base/ids.ts";
import type { Caller } from "../core/api.ts";

export interface AccessToken {
  readonly token: string;
  /** On whose behalf requests with this token act. */
  readonly caller: Caller;
}

/** A token as it is kept: nobody can use it who reads this. */
export interface KnownToken {
  /** SHA-256 of the token, in hexadecimal. */
  readonly hash: string;
  readonly caller: Caller;
}

/** Tokens that are made and revoked while the server runs. None of these throws. */
export interface TokenSource {
  /** Those that are valid; with `fresh`, those that are valid now. The same token has the same caller object each time. */
  known(fresh: boolean): Promise<readonly KnownToken[]>;
  /** Aborts when the caller's token is revoked; `null` for a caller without such a token. */
  revoked(caller: Caller): AbortSignal | null;
}

const TOKEN_PATTERN = /^[\x21-\x7e]{1,512}$/;

export class TokenBook {
  readonly #fixed: readonly KnownToken[];
  readonly #source: TokenSource | null;

  constructor(tokens: readonly AccessToken[], source: TokenSource | null = null) {
    this.#fixed = tokens.map(({ token, caller }) => ({ hash: sha256(token), caller }));
    this.#source = source;
  }

  /** The caller of a token; `null` for another one, for none, and for what cannot be one. */
  async callerOf(sent: unknown): Promise<Caller | null> {
    const isToken = typeof sent === "string" && TOKEN_PATTERN.test(sent);
    const hash = sha256(isToken ? sent : "");
    const fixed = find(this.#fixed, hash);
    if (!isToken || fixed || !this.#source) return isToken ? fixed : null;
    // Looked for anew before it is refused: it may have been made a moment ago.
    return find(await this.#source.known(false), hash) ?? find(await this.#source.known(true), hash);
  }

  /** Aborts when what the caller came with is worth nothing any more; `null` where that cannot happen. */
  revoked(caller: Caller): AbortSignal | null {
    return this.#source?.revoked(caller) ?? null;
  }
}

/** Looks at every token, always (keeps T2). */
function find(known: readonly KnownToken[], hash: string): Caller | null {
  let caller: Caller | null = null;
  for (const entry of known) if (isSame(entry.hash, hash)) ({ caller } = entry);
  return caller;
}

/** Looks at every character, always (keeps T2). */
function isSame(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
