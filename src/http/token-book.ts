// Whose token was sent. Shared by the gate, which finds tokens in headers, and by sockets, which find them in their
// first message.
//
// T2. Tokens are compared through their hashes, all of them, in a time that does not depend on where they differ.

import type { Caller } from "../core/api.ts";

export interface AccessToken {
  readonly token: string;
  /** On whose behalf requests with this token act. */
  readonly caller: Caller;
}

const TOKEN_PATTERN = /^[\x21-\x7e]{1,512}$/;

export class TokenBook {
  readonly #known: Promise<readonly { readonly hash: Uint8Array; readonly caller: Caller }[]>;

  constructor(tokens: readonly AccessToken[]) {
    this.#known = Promise.all(
      tokens.map(async ({ token, caller }) => ({ hash: await digest(token), caller })),
    );
  }

  /** The caller of a token; `null` for another one, for none, and for what cannot be one. */
  async callerOf(sent: unknown): Promise<Caller | null> {
    const isToken = typeof sent === "string" && TOKEN_PATTERN.test(sent);
    const hash = await digest(isToken ? sent : "");
    let caller: Caller | null = null;
    for (const entry of await this.#known) if (sameBytes(entry.hash, hash)) ({ caller } = entry);
    return isToken ? caller : null;
  }
}

/** Looks at every byte, always (keeps T2). */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i += 1) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
