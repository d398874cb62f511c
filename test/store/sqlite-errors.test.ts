import { describe, expect, it } from "vitest";
import { StoreError } from "../../src/base/errors.ts";
import { isRefusal } from "../../src/runtime/store-patience.ts";
import { callErrorOf, storeErrorOf, troubleOf } from "../../src/store/sqlite-errors.ts";

const thrownBySqlite = (message: string): Error =>
  Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR" });

describe("what SQLite says", () => {
  it.each([
    ["database or disk is full", "full"],
    ["database is locked", "busy"],
    ["database table is locked: tasks", "busy"],
    ["database schema is locked: main", "busy"],
    ["database disk image is malformed", "corrupt"],
    ["file is not a database", "corrupt"],
    ["attempt to write a readonly database", "read_only"],
    ["disk I/O error", "io"],
    ["unable to open database file", "io"],
    ["out of memory", "no_memory"],
  ])("%s is trouble of the kind %s, with its advice, and may be tried again", (message, code) => {
    const thrown = thrownBySqlite(message);
    expect(troubleOf(thrown)).toBe(code);
    const error = storeErrorOf(thrown);
    expect(error).toMatchObject({ kind: "store", code, cause: thrown });
    expect((error as Error).message).toMatch(
      /^The database failed \(.+\)\. Nothing was written\. [A-Z].+\.$/,
    );
    expect(isRefusal(error)).toBe(false);
  });

  it.each(["no such table: tasks", "UNIQUE constraint failed: tasks.id", 'near "SELEC": syntax error'])(
    "%s is no trouble of the medium, but a defect",
    (message) => {
      const thrown = thrownBySqlite(message);
      expect(troubleOf(thrown)).toBeNull();
      expect(storeErrorOf(thrown)).toBe(thrown);
    },
  );

  it.each([
    thrownBySqlite("UNIQUE constraint failed: tasks.id"),
    thrownBySqlite("malformed JSON"),
    thrownBySqlite("string or blob too big"),
    new RangeError("A task has at most 16777215 rows of a kind."),
    Object.assign(new RangeError("Value is too large"), { code: "ERR_OUT_OF_RANGE" }),
    new SyntaxError("Unexpected end of JSON input"),
  ])("%s is a defect to who made the call, which repeating it does not mend", (thrown) => {
    const error = callErrorOf(thrown);
    expect(error).toMatchObject({ kind: "store", code: "defect", cause: thrown });
    expect(isRefusal(error)).toBe(true);
  });

  it("leaves what it does not know, and what has its code already, to be tried again", () => {
    const unknown = thrownBySqlite("not an error");
    expect(callErrorOf(unknown)).toBe(unknown);
    expect(callErrorOf(thrownBySqlite("database is locked"))).toMatchObject({ code: "busy" });
  });

  it("is not said by others: their errors stay what they are, whatever their words", () => {
    const refusal = new StoreError("fenced", "The database is locked.");
    const own = new TypeError("database or disk is full");
    expect([troubleOf(refusal), troubleOf(own), troubleOf("full")]).toEqual([null, null, null]);
    expect(storeErrorOf(refusal)).toBe(refusal);
    expect(storeErrorOf(own)).toBe(own);
  });
});
