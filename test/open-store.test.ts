import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../src/base/clock.ts";
import { InternalError, LimitError, StoreError } from "../src/base/errors.ts";
import { systemRandom as random } from "../src/base/ids.ts";
import type { StoreSettings } from "../src/core/settings.ts";
import { openStore, refusalOf, storeLine } from "../src/open-store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-open-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const settings = (rest: Partial<StoreSettings>): StoreSettings => ({
  path: join(folder, "sub", "troupe.db"),
  durability: "full",
  keepMs: 1,
  maxBytes: 1,
  ...rest,
});

/** Why a store is not opened. */
function refusedBy(refused: StoreSettings): unknown {
  try {
    openStore(refused, { clock, random });
    return "opened";
  } catch (error) {
    return error;
  }
}

describe("openStore", () => {
  test("opens a store in memory that touches no disk", async () => {
    const store = openStore(settings({ path: null, durability: "none" }), { clock, random });
    expect(store.durability).toBe("none");
    await store.close();
    await expect(stat(join(folder, "sub"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test.each(["full", "normal"] as const)(
    "makes a database that is %s, for its owner's eyes only",
    async (durability) => {
      const store = openStore(settings({ durability }), { clock, random });
      expect(store.durability).toBe(durability);
      const { storeId } = store;
      const modes = await Promise.all(["sub", "sub/troupe.db"].map((name) => stat(join(folder, name))));
      expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o700, 0o600]);
      await store.close();
      const again = openStore(settings({ durability }), { clock, random });
      expect(again.storeId).toBe(storeId);
      await again.close();
    },
  );

  test("refuses a file that is no store as an error of the config, and leaves it as it was", async () => {
    const path = join(folder, "letter.txt");
    await writeFile(path, "Dear Ann, this is no database at all.\n".repeat(100));
    const { size } = await stat(path);
    expect(refusedBy(settings({ path }))).toMatchObject({
      kind: "config",
      message: expect.stringContaining(path) as string,
    });
    expect((await stat(path)).size).toBe(size);
  });

  test("refuses a second server of the same file, which keeps the first", async () => {
    const first = openStore(settings({}), { clock, random });
    expect(refusedBy(settings({}))).toMatchObject({
      code: "database_owned",
      kind: "config",
      details: { config_key: "store.path" },
    });
    expect((await first.list({})).items).toEqual([]);
    await first.close();
  });

  test("says what to do where the folder cannot be made", async () => {
    await writeFile(join(folder, "file"), "");
    const path = join(folder, "file", "troupe.db");
    expect(refusedBy(settings({ path }))).toMatchObject({
      kind: "config",
      message: expect.stringMatching(/store\.durability: none/) as string,
    });
  });
});

describe("refusalOf", () => {
  test("keeps the code and the words of the store, and what a program can use", () => {
    const refused = refusalOf(
      new StoreError("read_only", "Expected to write.", { details: { pid: 7 } }),
      "/t.db",
    );
    expect(refused).toMatchObject({
      kind: "config",
      code: "read_only",
      message: "Expected to write.",
      details: { pid: 7, path: "/t.db", config_key: "store.path" },
    });
  });

  test("leaves other errors of Troupe as they are, and names the file for what is none", () => {
    const limit = new LimitError("x", "y");
    expect(refusalOf(limit, "/t.db")).toBe(limit);
    expect(refusalOf(new InternalError("x", "y"), "/t.db").kind).toBe("internal");
    expect(refusalOf(new Error("boom"), "/t.db")).toMatchObject({
      kind: "config",
      message: expect.stringMatching(/\/t\.db.*boom/) as string,
    });
  });
});

describe("storeLine", () => {
  const none = { resumed: 0, queued: 0, failed: 0 };

  test.each([
    [{ path: "/t.db", durability: "full" }, none, "store: /t.db (full: survives a power loss)"],
    [
      { path: "/t.db", durability: "full" },
      { resumed: 12, queued: 3, failed: 1 },
      "store: /t.db (full: survives a power loss); 12 tasks go on, 3 tasks wait in the queue, 1 task could not go on (tasks ls --state failed shows them)",
    ],
    [
      { path: null, durability: "normal" },
      { resumed: 1, queued: 1, failed: 0 },
      "store: normal: survives a crash of the server, and all but the last moments before a power loss; 1 task goes on, 1 task waits in the queue",
    ],
    [{ path: null, durability: "none" }, none, "store: in memory: lost when the server stops"],
  ] as const)("%o with %o", (store, found, line) => expect(storeLine(store, found)).toBe(line));
});
