// T46: whatever the umask, what a server and its person write is their own: 0600 in folders of 0700.

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-modes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

it.each(["0", "22", "777"])("under umask %s", async (umask) => {
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, "modes-probe.ts"), umask, folder]);
  const all = readdirSync(join(folder, "home"), { recursive: true, withFileTypes: true });
  const files = all.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const names = files.map((path) => path.slice(folder.length + "/home/".length)).toSorted();
  expect(names).toEqual(
    expect.arrayContaining([
      "box-id",
      "copy.db",
      "kept/troupe.db",
      "kept/troupe.db-wal",
      "kept/troupe.db.audit",
      "token",
    ]),
  );
  expect(files.filter((path) => modeOf(path) !== "600").map((path) => `${modeOf(path)} ${path}`)).toEqual([]);
  const folders = [
    join(folder, "home"),
    ...all.filter((each) => each.isDirectory()).map((each) => join(each.parentPath, each.name)),
  ];
  expect(folders.map((path) => `${modeOf(path)} ${path}`).filter((each) => !each.startsWith("700 "))).toEqual(
    [],
  );
});

it("(control) a file that is written as files are is everybody's to read under umask 22", () => {
  const before = process.umask();
  writeFileSync(join(folder, "plain"), "x");
  expect(modeOf(join(folder, "plain"))).toBe((0o666 & ~before).toString(8));
});
