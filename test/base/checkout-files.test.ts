import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  bytesBelow,
  canRead,
  copyRegular,
  copyTree,
  ensureOpenFolder,
  folderBeside,
  give,
  giveTree,
  isPlainFolder,
  kindAt,
  makeFor,
  moveTo,
  moveUnlessThere,
  namesIn,
  ownerOf,
  putText,
  shortText,
} from "../../src/base/checkout-files.ts";

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "troupe-files-")));
  mkdirSync(join(base, "folder"));
  writeFileSync(join(base, "file"), "text");
  symlinkSync(join(base, "file"), join(base, "link"));
  symlinkSync(join(base, "folder"), join(base, "led"));
  execFileSync("mkfifo", [join(base, "pipe")]);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));
const at = (name: string): string => join(base, name);

describe("what stands somewhere", () => {
  it("is told by the thing itself, and a link is a link", async () => {
    const names = ["folder", "file", "link", "led", "pipe", "gone"];
    expect(await Promise.all(names.map((name) => kindAt(at(name))))).toEqual([
      "folder",
      "file",
      "link",
      "link",
      "other",
      "none",
    ]);
    // It cannot be looked at, so that it is not said to be gone.
    symlinkSync("loop", at("loop"));
    expect(await kindAt(at("loop/below"))).toBe("other");
    rmSync(at("loop"));
    mkdirSync(at("folder/below"));
    expect(await isPlainFolder(at("folder/below"))).toBe(true);
    expect(await isPlainFolder(at("led/below"))).toBe(false);
    expect(await isPlainFolder(at("file"))).toBe(false);
    expect(await namesIn(base)).toEqual(["file", "folder", "led", "link", "pipe"]);
    expect(await namesIn(at("gone"))).toEqual([]);
  });

  it("is read only where it is a short regular file, and nothing waits for a pipe", async () => {
    expect(await shortText(at("file"))).toBe("text");
    for (const name of ["link", "pipe", "folder", "gone"]) expect(await shortText(at(name))).toBeNull();
    expect(await shortText(at("file"), 3)).toBeNull();
  });
});

describe("bytesBelow", () => {
  it("counts files, follows no link, and gives up on too many", async () => {
    writeFileSync(at("folder/file"), new Uint8Array(100_000));
    const bytes = await bytesBelow(base);
    expect(bytes).toBeGreaterThanOrEqual(100_000);
    symlinkSync("/usr", at("folder/usr"));
    expect(await bytesBelow(base)).toBeLessThan(200_000);
    expect(await bytesBelow(base, 3)).toBeNull();
    expect(await bytesBelow(at("gone"))).toBe(0);
  });
});

describe("copyRegular", () => {
  it("copies a regular file and nothing else", async () => {
    expect(await copyRegular(at("file"), at("copy"), 4)).toBe(4);
    expect(readFileSync(at("copy"), "utf8")).toBe("text");
    writeFileSync(at("empty"), "");
    expect(await copyRegular(at("empty"), at("copy"), 4)).toBe(0);
    expect(readFileSync(at("copy"), "utf8")).toBe("");
    rmSync(at("copy"));
    for (const name of ["link", "pipe", "folder", "gone"])
      await expect(copyRegular(at(name), at("copy"), 4)).rejects.toThrow(/ELOOP|no regular file|ENOENT/);
    await expect(copyRegular(at("file"), at("copy"), 3)).rejects.toThrow(/4 bytes, and 3/);
    expect(existsSync(at("copy"))).toBe(false);
  });
});

describe("owners", () => {
  it("get a thing or a whole tree, links themselves and not what they lead to", async () => {
    const me = await ownerOf(at("file"));
    writeFileSync(at("outside"), "");
    symlinkSync(at("outside"), at("folder/link"));
    await makeFor(at("folder/own"), me);
    expect(statSync(at("folder/own")).mode & 0o777).toBe(0o700);
    await expect(makeFor(at("folder/own"), me)).rejects.toThrow(/EEXIST/);
    const to = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : me;
    await giveTree(at("folder"), to);
    const owners = ["folder", "folder/own", "folder/link"].map((name) => lstatSync(at(name)).uid);
    expect(owners).toEqual([to.uid, to.uid, to.uid]);
    expect(await ownerOf(at("outside"))).toEqual(me);
    await give(at("link"), to);
    expect([(await ownerOf(at("link"))).uid, (await ownerOf(at("file"))).uid]).toEqual([to.uid, me.uid]);
  });
});

describe("canRead", () => {
  it("goes by the modes of the folder and of all above it", async () => {
    const me = await ownerOf(base);
    const other = { uid: 64_000, gid: 64_000 };
    mkdirSync(at("folder/below"));
    chmodSync(base, 0o711);
    chmodSync(at("folder"), 0o711);
    chmodSync(at("folder/below"), 0o755);
    expect(await canRead(at("folder/below"), other)).toBe(true);
    expect(await canRead(at("folder"), other)).toBe(false);
    chmodSync(at("folder"), 0o700);
    expect(await canRead(at("folder/below"), other)).toBe(false);
    expect(await canRead(at("folder/below"), me)).toBe(true);
    chmodSync(at("folder"), 0o070);
    expect(await canRead(at("folder"), { ...other, gid: me.gid })).toBe(true);
    expect(await canRead(at("gone"), me)).toBe(false);
    chmodSync(at("folder"), 0o700);
  });
});

describe("folders and files that are made", () => {
  it("are enterable by all where that is asked, and only those that were made", async () => {
    await ensureOpenFolder(at("folder/a/b"));
    await ensureOpenFolder(at("folder/a/b"));
    expect(["folder/a", "folder/a/b"].map((name) => statSync(at(name)).mode & 0o777)).toEqual([0o711, 0o711]);
    expect(statSync(at("folder")).mode & 0o777).not.toBe(0o711);
    await copyTree(at("folder"), at("twin"));
    expect(await namesIn(at("twin"))).toEqual(["a"]);
    const [one, two] = [await folderBeside(at("made")), await folderBeside(at("made"))];
    writeFileSync(join(one, "first"), "");
    await moveUnlessThere(one, at("made"));
    await moveUnlessThere(two, at("made"));
    expect([await namesIn(at("made")), existsSync(two)]).toEqual([["first"], false]);
    await expect(moveUnlessThere(at("made"), at("file"))).rejects.toThrow(/ENOTDIR/);
    await putText(at("new"), "1");
    await moveTo(at("new"), at("newer"));
    expect([readFileSync(at("newer"), "utf8"), statSync(at("newer")).mode & 0o777]).toEqual(["1", 0o600]);
  });
});
