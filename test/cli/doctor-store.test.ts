import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock as clock } from "../../src/base/clock.ts";
import { systemRandom as random } from "../../src/base/ids.ts";
import { examineStore, storeChecks, type StoreFacts } from "../../src/cli/doctor-store.ts";
import type { StoreSettings } from "../../src/core/settings.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";

const GIB = 1_073_741_824;
const SETTINGS: StoreSettings = { path: "/t.db", durability: "full", keepMs: 1, maxBytes: 1 };
const LOOK = {
  bytes: 2 * GIB,
  version: 1,
  newestVersion: 1,
  owner: null,
  problem: null,
  checked: true,
} as const;

const checks = (facts: Partial<StoreFacts>) =>
  storeChecks({ settings: SETTINGS, look: LOOK, freeBytes: 9 * GIB, unwritable: null, ...facts });

describe("storeChecks", () => {
  test("tells where it is, what it survives, and how it stands", () => {
    expect(checks({})).toMatchObject([
      {
        level: "ok",
        text: "/t.db (full: survives a power loss), 2.0 GiB, version 1, no server has it, a quick check found nothing, 9.0 GiB free",
      },
    ]);
  });

  test("tells who has it", () => {
    const owner = { pid: 7, since: "2026-01-02T03:04:05.000Z" };
    expect(checks({ look: { ...LOOK, owner, checked: false } })[0]?.text).toContain(
      "a server has it (pid 7 since 2026-01-02T03:04:05.000Z), 9.0 GiB free",
    );
    expect(
      checks({ look: { ...LOOK, owner: { pid: null, since: null }, checked: false } })[0]?.text,
    ).toContain("a server has it, ");
  });

  test("is fine with none yet, and with one in memory", () => {
    expect(checks({ look: null })).toMatchObject([
      { level: "ok", text: expect.stringMatching(/^none yet: .*\/t\.db/) },
    ]);
    expect(checks({ settings: { ...SETTINGS, path: null, durability: "none" }, look: null })).toMatchObject([
      { level: "ok", text: "in memory: lost when the server stops" },
    ]);
  });

  test.each([
    [{ look: { ...LOOK, problem: "file is not a database", version: null } }, /not a database/, /db check/],
    [{ look: { ...LOOK, version: 3 } }, /version 3, and this Troupe knows versions up to 1/, /newer Troupe/],
    [{ unwritable: "/t.db: EROFS" }, /cannot be written \(\/t\.db: EROFS\)/, /store\.durability: none/],
    [{ look: null, unwritable: "/: EACCES" }, /cannot be written/, /TROUPE_HOME/],
  ] as const)("%# is a problem, with how to mend it", (facts, text, mend) => {
    const [first] = checks(facts);
    expect(first?.level).toBe("problem");
    expect(first?.text).toMatch(text);
    expect(first?.mend).toMatch(mend);
  });

  test("warns of a disk that is almost full, and not where the disk does not tell", () => {
    expect(checks({ freeBytes: 10 * 1_048_576 })[1]).toMatchObject({
      level: "warn",
      text: "only 10 MiB are free on the disk of /t.db",
    });
    expect(checks({ freeBytes: null })).toHaveLength(1);
  });
});

test("examineStore looks at the real thing, before and after it is there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-doctor-store-"));
  const path = join(folder, "sub", "troupe.db");
  const settings = { ...SETTINGS, path };
  expect((await examineStore(settings))[0]).toMatchObject({
    level: "ok",
    text: expect.stringContaining("none yet"),
  });
  await openSqliteStore({ path, clock, random, durability: "full" }).close();
  expect((await examineStore(settings))[0]).toMatchObject({
    level: "ok",
    text: expect.stringMatching(
      /version \d+, no server has it, a quick check found nothing, .* free$/,
    ) as string,
  });
  await writeFile(path, "gone");
  expect((await examineStore(settings))[0]?.level).toBe("problem");
  await rm(folder, { recursive: true });
});
