// What SQLite says when something goes wrong, in the words of the store. By the text of the message: one of the three
// runtimes gives no number. It knows no file and no call; the reasons and the advice are the same for all of them.

import { messageOf, StoreError, TroupeError } from "../base/errors.ts";

/** What is the matter with the medium; every one fails a whole group of writes, and all may be tried again. */
export type SqliteTrouble = "busy" | "full" | "io" | "corrupt" | "read_only" | "no_memory";

interface Meaning {
  readonly pattern: RegExp;
  readonly code: SqliteTrouble;
  readonly advice: string;
}

const MEANINGS: readonly Meaning[] = [
  {
    pattern: /database (?:or disk )?is full/,
    code: "full",
    advice: "Free space on its disk; the store goes on by itself.",
  },
  {
    pattern: /(?:database|table|schema) is (?:locked|busy)|locking protocol/,
    code: "busy",
    advice: "Another program holds the file; let it finish, or stop it.",
  },
  {
    pattern: /malformed(?! JSON)|not a database|corrupt/,
    code: "corrupt",
    advice: "Stop the server, keep a copy of the file, and restore the last backup.",
  },
  {
    pattern: /readonly|read-only/,
    code: "read_only",
    advice: "Make the file, its folder and its disk writable for this user.",
  },
  {
    pattern: /out of memory/,
    code: "no_memory",
    advice: "Give the process more memory, or the store fewer large tasks.",
  },
  {
    pattern: /disk I\/O error|unable to open database file|interrupted/,
    code: "io",
    advice: "Look at the disk and its free space; the store goes on by itself when it answers again.",
  },
];

const isFromSqlite = (thrown: unknown): boolean =>
  thrown instanceof Error && (thrown as Error & { readonly code?: unknown }).code === "ERR_SQLITE_ERROR";

/** Which trouble of the medium this is; `null` for everything else, also for SQL that cannot be run. Never throws. */
export function troubleOf(thrown: unknown): SqliteTrouble | null {
  if (!isFromSqlite(thrown)) return null;
  return MEANINGS.find(({ pattern }) => pattern.test(messageOf(thrown)))?.code ?? null;
}

/** What was thrown as an error of the store: trouble with its advice, everything else as it is. Never throws. */
export function storeErrorOf(thrown: unknown): unknown {
  if (thrown instanceof TroupeError) return thrown;
  const code = troubleOf(thrown);
  const advice = MEANINGS.find((meaning) => meaning.code === code)?.advice;
  if (code === null || advice === undefined) return thrown;
  return new StoreError(code, `The database failed (${messageOf(thrown)}). Nothing was written. ${advice}`, {
    cause: thrown,
  });
}

/** What SQLite says of a statement or of a value in it: said again it would be the same. */
const DEFECT = /constraint failed|datatype mismatch|too big|overflow|no such|syntax error|malformed JSON/;

/**
 * The same for a call that is under way: what no repetition can mend (a row that breaks a rule or cannot be read, a value
 * that cannot be written) is a StoreError `defect`. Never throws.
 */
export function callErrorOf(thrown: unknown): unknown {
  const known = storeErrorOf(thrown);
  if (known instanceof TroupeError || (isFromSqlite(known) && !DEFECT.test(messageOf(known)))) return known;
  const found = messageOf(known);
  return new StoreError(
    "defect",
    `The store cannot do this, and could not at a second try (${found}). Nothing was written. ` +
      "Run `troupe db check`; if it finds nothing, this is a defect of Troupe: please report it.",
    { cause: thrown },
  );
}
