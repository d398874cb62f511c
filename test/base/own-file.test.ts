import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/base/ids.ts";
import { createWhole, ensureFolder } from "../../src/base/own-file.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-own-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe("createWhole", () => {
  it("O1 makes a file that its owner alone may read", async () => {
    const path = join(home, "id");
    expect(await createWhole(path, "text\n", systemRandom)).toBe(true);
    expect([await readFile(path, "utf8"), await modeOf(path)]).toEqual(["text\n", 0o600]);
  });

  it("O2 lets one of many be first, tells the others, and leaves no draft", async () => {
    const path = join(home, "id");
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) => createWhole(path, `${index}`, systemRandom)),
    );
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await readFile(path, "utf8")).toBe(String(made.indexOf(true)));
    expect(await readdir(home)).toEqual(["id"]);
  });

  it("throws what the system says where it cannot write", async () => {
    await expect(createWhole(join(home, "none", "id"), "x", systemRandom)).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});

describe("ensureFolder", () => {
  it("O1 makes what is missing with mode 0700, and leaves what is there", async () => {
    await ensureFolder(join(home, "a", "b"));
    expect([await modeOf(join(home, "a")), await modeOf(join(home, "a", "b"))]).toEqual([0o700, 0o700]);
    await writeFile(join(home, "a", "b", "kept"), "");
    await ensureFolder(join(home, "a", "b"));
    expect(await readdir(join(home, "a", "b"))).toEqual(["kept"]);
  });

  it("throws where nothing can be made, also where the system says that all of it is missing", async () => {
    await expect(ensureFolder("/proc/nowhere/troupe")).rejects.toMatchObject({ code: "ENOENT" });
  });
});
