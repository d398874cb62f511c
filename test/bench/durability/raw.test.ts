// The rival of the SQLite store writes what the store wrote: else the comparison would mean nothing.

import { describe, expect, it } from "vitest";
import { look, numberOf, openStore, withDatabase } from "../../../bench/durability/files.ts";
import { RawDatabase, templateOf } from "../../../bench/durability/raw.ts";
import { benchRig } from "../../../bench/rig.ts";
import { hang } from "../../../providers/script.ts";

const TABLES = ["tasks", "heads", "trees", "events"] as const;

/** A closed database with three tasks that wait. */
async function waiting(path: string): Promise<void> {
  const rig = benchRig({ reply: () => [hang()], slots: 1, store: openStore(path, "normal") });
  await rig.api.pause(true);
  for (const goal of ["one", "two", "three"]) await rig.api.delegate({ goal });
  await rig.close();
}

const rowsOf = (path: string): unknown =>
  look(path, (db) => TABLES.map((table) => db.prepare(`SELECT * FROM ${table} ORDER BY 1`).all()));

describe("the raw database", () => {
  it("writes the very rows that the store wrote, into the same tables", () =>
    withDatabase(async (path) => {
      await waiting(path);
      const template = templateOf(path);
      expect(template.tasks).toHaveLength(3);
      await withDatabase(async (copy) => {
        const raw = new RawDatabase(copy, template, "normal");
        await Promise.all(template.tasks.map((rows) => raw.add(rows)));
        raw.close();
        expect(rowsOf(copy)).toEqual(rowsOf(path));
        const schema = "SELECT count(*) FROM sqlite_schema";
        expect(look(copy, (db) => numberOf(db, schema))).toBe(look(path, (db) => numberOf(db, schema)));
      });
    }));

  it("refuses a table with rows whose task's column it does not know", () =>
    withDatabase(async (path) => {
      await waiting(path);
      look(path, (db) => db.exec("CREATE TABLE later (task INTEGER); INSERT INTO later VALUES (1)"));
      expect(() => templateOf(path)).toThrow(/table later/);
    }));
});
