// Tokens that people make beside the server's own: each a file of its own in one folder, so that two who make some at
// once lose none, and a running server sees what was made and revoked by looking at names. A file never changes.
//
// M1. The token itself is nowhere: a file holds its SHA-256, which is enough to know it and useless to whoever reads it.
// M2. Files are 0600 in a folder of 0700, under any umask; a file or folder that others could write gives nobody access.
// M3. Who revokes a token ends what it holds open too, a look later.

import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Clock, Timer } from "../base/clock.ts";
import { ConflictError, InvalidRequestError, messageOf, NotFoundError } from "../base/errors.ts";
import { newId, type Random, sha256 } from "../base/ids.ts";
import { createWhole, ensureFolder } from "../base/own-file.ts";
import type { Caller, Scope } from "../core/api.ts";
import { scopesUpTo } from "./route-scopes.ts";
import type { KnownToken, TokenSource } from "./token-book.ts";
import { assertFolderClosed, newToken, readPrivate } from "./token.ts";

/** A revoked token may still be taken for so long. */
const LOOK_MS = 1_000;
/** More files than these are not looked at: each is one line of a table that is gone through for every request. */
export const MAX_TOKENS = 256;
const FILE_BYTES = 4_096;
const FILE_NAME = /^(tok_[0-9a-f]{32})\.json$/;
const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;
/** What the owner of the server's own token is called. */
const TAKEN_NAMES: readonly string[] = ["operator"];

const tokenFile = z.strictObject({
  name: z.string().regex(TOKEN_NAME),
  scope: z.enum(["read", "control", "admin"]),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  created_at: z.number().int(),
});

/** A token as people see it. */
export interface MadeToken {
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface TokenFolder {
  /** Absolute; made on first use. */
  readonly folder: string;
  readonly posix?: boolean;
  readonly uid?: number | null;
}

interface Entry extends KnownToken {
  readonly token: MadeToken;
  readonly end: AbortController;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => FILE_NAME.test(name)).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** `null` where it went in the meantime. Contract: throws ConfigErrors, and InvalidRequestError for what is no such file. */
async function readOne(
  at: TokenFolder,
  name: string,
): Promise<(MadeToken & { readonly hash: string }) | null> {
  const path = join(at.folder, name);
  const text = await readPrivate({ ...at, path }, FILE_BYTES);
  if (text === null) return null;
  try {
    const { created_at: createdAt, ...rest } = tokenFile.parse(JSON.parse(text));
    return { id: name.slice(0, -".json".length), ...rest, createdAt };
  } catch (cause) {
    const message = `Expected a token in ${path}, got a file that holds none. Delete it.`;
    throw new InvalidRequestError("token_malformed", message, { cause, details: { path } });
  }
}

/** Those that are there, the oldest first. Contract: throws as `readOne` does, and the system's errors. */
export async function listTokens(at: TokenFolder): Promise<readonly MadeToken[]> {
  const found = await Promise.all((await namesIn(at.folder)).map((name) => readOne(at, name)));
  return found
    .flatMap((each) => each ?? [])
    .map(({ hash: _hash, ...token }) => token)
    .toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

/** What is wanted of a new token. */
export interface TokenWish {
  readonly name: string;
  readonly scope: Scope;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly random: Random;
}

/**
 * Makes a token; `secret` is nowhere else afterwards (keeps M1).
 * Contract: throws InvalidRequestError `invalid_token_name`, ConflictErrors `token_name_taken` and `too_many_tokens`,
 * ConfigErrors for a folder that is not its owner's alone.
 */
export async function makeToken(
  at: TokenFolder,
  wish: TokenWish,
): Promise<MadeToken & { readonly secret: string }> {
  const { name, scope, now, random } = wish;
  if (!TOKEN_NAME.test(name)) {
    throw new InvalidRequestError(
      "invalid_token_name",
      `Expected a name of 1 to 40 letters, digits, ".", "_" and "-", got ${JSON.stringify(name.slice(0, 80))}.`,
    );
  }
  await ensureFolder(at.folder);
  await assertFolderClosed(at.folder, at);
  const there = await listTokens(at);
  if (TAKEN_NAMES.includes(name) || there.some((token) => token.name === name)) {
    const message = `Expected a name that no token has, got ${name}, which one has. Choose another, or revoke that one.`;
    throw new ConflictError("token_name_taken", message);
  }
  if (there.length >= MAX_TOKENS) {
    const message = `Expected at most ${MAX_TOKENS} tokens, and there are as many. Revoke one first.`;
    throw new ConflictError("too_many_tokens", message);
  }
  const id = newId("tok", random);
  const secret = newToken(random);
  const content = { name, scope, hash: sha256(secret), created_at: now };
  await createWhole(join(at.folder, `${id}.json`), `${JSON.stringify(content)}\n`, random);
  return { id, name, scope, createdAt: now, secret };
}

/** Takes a token away, by its id, the beginning of it, or its name. Contract: throws NotFoundError `token_not_found`. */
export async function revokeToken(at: TokenFolder, word: string): Promise<MadeToken> {
  const all = await listTokens(at);
  const named = all.filter(({ id, name }) => id === word || name === word);
  const begins = all.filter(({ id }) => word.length >= 8 && id.startsWith(word));
  const [found, other] = named.length > 0 ? named : begins;
  if (!found || other) {
    const which = found ? "several have" : "none has";
    const message = `Expected the id or the name of one token, got ${JSON.stringify(word)}, which ${which}. \`troupe tokens\` lists them.`;
    throw new NotFoundError("token_not_found", message);
  }
  await unlink(join(at.folder, `${found.id}.json`));
  return found;
}

export interface MadeTokensOptions extends TokenFolder {
  readonly clock: Clock;
  /** Told once of each file, and of the folder, that gives nobody access, and why. */
  readonly onProblem: (message: string) => void;
  /** Told of each token that came or went since the first look. */
  readonly onChange?: (change: "added" | "revoked", token: MadeToken) => void;
}

/** The tokens of the folder as a running server has them. */
export class MadeTokens implements TokenSource {
  readonly #options: MadeTokensOptions;
  /** By file name; `null` for one that is no token. */
  readonly #entries = new Map<string, Entry | null>();
  readonly #byCaller = new WeakMap<Caller, Entry>();
  readonly #told = new Set<string>();
  #list: readonly Entry[] = [];
  #looking: Promise<void> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isFirst = true;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: MadeTokensOptions) {
    this.#options = options;
  }

  async known(fresh: boolean): Promise<readonly KnownToken[]> {
    if (fresh || this.#options.clock.monotonic() - this.#lookedAt >= LOOK_MS) await this.#look();
    return this.#list;
  }

  /** Those that are valid, as they were at the last look. */
  get tokens(): readonly MadeToken[] {
    return this.#list.map(({ token }) => token);
  }

  revoked(caller: Caller): AbortSignal | null {
    return this.#byCaller.get(caller)?.end.signal ?? null;
  }

  /** Looks now, and from now on by itself until `close` (keeps M3). */
  async watch(): Promise<void> {
    await this.#look();
    const again = (): void => {
      if (this.#isClosed) return;
      this.#timer = this.#options.clock.after(LOOK_MS, () => void this.#look().then(again));
    };
    again();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** A look that began before the question is no answer to it. Contract: never throws. */
  async #look(): Promise<void> {
    const before = this.#looking;
    if (before) {
      await before;
      if (this.#looking && this.#looking !== before) return this.#looking;
    }
    const look = this.#update().catch((thrown: unknown) => {
      // Nobody is let in by a folder that cannot be trusted (keeps M2).
      this.#tell(this.#options.folder, messageOf(thrown));
      this.#drop([...this.#entries.keys()]);
    });
    this.#looking = look;
    await look;
    if (this.#looking === look) this.#looking = null;
    this.#lookedAt = this.#options.clock.monotonic();
    this.#isFirst = false;
  }

  async #update(): Promise<void> {
    const { folder } = this.#options;
    const names = await namesIn(folder);
    if (names.length > 0) await assertFolderClosed(folder, this.#options);
    const there = new Set(names.slice(0, MAX_TOKENS));
    this.#drop([...this.#entries.keys()].filter((name) => !there.has(name)));
    // One that gave nobody access may have been mended, as it was asked for.
    for (const name of there) if (!this.#entries.get(name)) await this.#take(name);
    this.#list = [...this.#entries.values()].flatMap((entry) => entry ?? []);
  }

  async #take(name: string): Promise<void> {
    try {
      const read = await readOne(this.#options, name);
      if (read === null) return;
      const { hash, ...token } = read;
      const caller = { name: token.name, scopes: scopesUpTo(token.scope), taskId: null, tokenId: token.id };
      const entry = { token, hash, caller, end: new AbortController() };
      this.#entries.set(name, entry);
      this.#told.delete(name);
      this.#byCaller.set(caller, entry);
      if (!this.#isFirst) this.#options.onChange?.("added", token);
    } catch (thrown) {
      this.#entries.set(name, null);
      this.#tell(name, messageOf(thrown));
    }
  }

  #drop(names: readonly string[]): void {
    for (const name of names) {
      const entry = this.#entries.get(name);
      this.#entries.delete(name);
      this.#told.delete(name);
      if (!entry) continue;
      entry.end.abort();
      this.#options.onChange?.("revoked", entry.token);
    }
    this.#list = [...this.#entries.values()].flatMap((entry) => entry ?? []);
  }

  #tell(about: string, message: string): void {
    if (this.#told.has(about)) return;
    this.#told.add(about);
    this.#options.onProblem(message);
  }
}
