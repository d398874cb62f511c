import { chown, mkdtemp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seededRandom, systemRandom as random } from "../../src/base/ids.ts";
import { currentUid } from "../../src/base/owner.ts";
import { loadOrCreateBoxId } from "../../src/config/box-id.ts";

let home: string;
let path: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-box-id-"));
  path = join(home, "new", "box-id");
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe("loadOrCreateBoxId", () => {
  it("makes 128 random bits in a file of one's own, and reads the same ever after", async () => {
    const boxId = await loadOrCreateBoxId({ path, random });
    expect(boxId).toMatch(/^box_[0-9a-f]{32}$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).toBe(`${boxId}\n`);
    expect(await loadOrCreateBoxId({ path, random: seededRandom(9) })).toBe(boxId);
  });

  it("B2 gives all that start at once one id", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateBoxId({ path, random })));
    expect(new Set(all).size).toBe(1);
    expect(await readdir(join(home, "new"))).toEqual(["box-id"]);
  });

  it.each([
    ["nothing", ""],
    ["too little", "box_abc"],
    ["too much", `box_${"a".repeat(33)}`],
    ["another id", `task_${"a".repeat(32)}`],
    ["a second line", `box_${"a".repeat(32)}\nb`],
    ["a book", "a".repeat(100_000)],
  ])("B1 refuses a file that holds %s, and leaves it as it is", async (_what, text) => {
    await mkdir(join(home, "new"));
    await writeFile(path, text);
    await expect(loadOrCreateBoxId({ path, random })).rejects.toMatchObject({
      kind: "config",
      code: "box_id_malformed",
      message: expect.stringContaining(path) as string,
    });
    expect(await readFile(path, "utf8")).toBe(text);
  });

  it("refuses a folder in the file's place, and a home that cannot be written", async () => {
    await expect(loadOrCreateBoxId({ path: home, random })).rejects.toMatchObject({
      code: "box_id_unreadable",
    });
    await expect(loadOrCreateBoxId({ path: "/proc/nowhere/box-id", random })).rejects.toMatchObject({
      code: "box_id_unwritable",
      details: { config_key: "store.durability" },
    });
  });

  it.skipIf(currentUid() === null)("refuses the file of somebody else, where there are owners", async () => {
    const boxId = await loadOrCreateBoxId({ path, random });
    const me = currentUid() ?? 0;
    // As root the file is given away, else it is read as another user.
    if (me === 0) await chown(path, 65_534, 65_534);
    const uid = me === 0 ? 0 : me + 1;
    await expect(loadOrCreateBoxId({ path, random, uid })).rejects.toMatchObject({ code: "box_id_foreign" });
    expect(await loadOrCreateBoxId({ path, random, uid: null })).toBe(boxId);
  });
});
