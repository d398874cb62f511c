// Why a database file is not opened, as errors that say what to do about it. It opens nothing and looks at nothing.

import { ConfigError, messageOf, TroupeError } from "../base/errors.ts";
import { storeErrorOf, troubleOf } from "./sqlite-errors.ts";

/** What is wrong with a file, in words that follow its name, and what to do. */
export function refusal(code: string, path: string, problem: string): ConfigError {
  return refusalBecause({ code, path, problem, cause: undefined });
}

interface Refusal {
  readonly code: string;
  readonly path: string;
  readonly problem: string;
  readonly cause: unknown;
}

function refusalBecause({ code, path, problem, cause }: Refusal): ConfigError {
  return new ConfigError(code, `The database ${path} ${problem}`, {
    details: { path, config_key: "store.path" },
    ...(cause === undefined ? {} : { cause }),
  });
}

export function damaged(path: string, found: string, cause?: unknown): ConfigError {
  const advice = "Keep a copy of it and its -wal file, run `troupe db check`, and restore the last backup.";
  return refusalBecause({
    code: "database_corrupt",
    path,
    problem: `is damaged (${found}). ${advice}`,
    cause,
  });
}

const NOT_WRITABLE = new Set(["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"]);

/** What stopped the opening, as an error that says what to do. */
export function refusalOf(path: string, thrown: unknown): unknown {
  if (thrown instanceof TroupeError) return thrown;
  const said = messageOf(thrown);
  const { code } = thrown as { readonly code?: unknown };
  const trouble = troubleOf(thrown);
  if (trouble === "read_only" || NOT_WRITABLE.has(String(code))) {
    const advice =
      "Make the file, its folder and its disk writable for this user, use another store.path, or keep everything in " +
      "memory with store.durability: none.";
    const problem = `cannot be written (${said}). ${advice}`;
    return refusalBecause({ code: "database_read_only", path, problem, cause: thrown });
  }
  if (said.includes("not a database")) {
    const problem = "is no SQLite database. Use another store.path.";
    return refusalBecause({ code: "database_foreign", path, problem, cause: thrown });
  }
  return trouble === "corrupt" ? damaged(path, said, thrown) : storeErrorOf(thrown);
}
