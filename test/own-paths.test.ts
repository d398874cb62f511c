import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { configPaths, ownPaths } from "../src/own-paths.ts";

it("names the home and every file of the store, links resolved, also those that are not there yet", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "troupe-own-")));
  const link = join(folder, "link");
  symlinkSync(folder, link);
  const files = { path: join(link, "db"), tokenFile: "token" };
  const paths = await ownPaths({ TROUPE_HOME: join(link, "home") }, files);
  rmSync(folder, { recursive: true });
  expect(paths[0]).toBe(join(folder, "home"));
  expect(paths).toEqual(
    expect.arrayContaining([join(folder, "db"), join(folder, "db-wal"), join(folder, "db.lock")]),
  );
  expect(paths).toContain(join(folder, "db.audit"));
  expect(paths).toContain(join(folder, "db.audit.d"));
  const none = { path: null, tokenFile: "token" };
  expect(await ownPaths({ TROUPE_HOME: "/h" }, none)).toEqual(["/h"]);
  expect(await ownPaths({}, none)).toEqual([]);
  const elsewhere = { path: null, tokenFile: "/k/token" };
  expect(await ownPaths({ TROUPE_HOME: "/h" }, elsewhere)).toEqual(["/h", "/k/token", "/k/tokens"]);
});

it("names the config of this server and the one that the next start would find, once", async () => {
  expect(await configPaths(null, "/nowhere/here")).toEqual(["/nowhere/here/config.yaml"]);
  expect(await configPaths("/nowhere/other.yaml", "/nowhere/here")).toEqual([
    "/nowhere/other.yaml",
    "/nowhere/here/config.yaml",
  ]);
  expect(await configPaths("/nowhere/here/config.yaml", "/nowhere/here")).toHaveLength(1);
});

it("names the links that lead to the config too: whoever replaces one replaces the config", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "troupe-own-")));
  const [real, here] = [join(folder, "real"), join(folder, "here")];
  mkdirSync(real);
  mkdirSync(here);
  writeFileSync(join(real, "config.yaml"), "");
  symlinkSync(real, join(here, "conf"));
  symlinkSync(join(real, "config.yaml"), join(here, "config.yaml"));
  const paths = await configPaths(join(here, "conf/other.yaml"), here);
  rmSync(folder, { recursive: true });
  expect(paths.toSorted()).toEqual(
    [
      join(real, "other.yaml"),
      join(here, "conf"),
      join(real, "config.yaml"),
      join(here, "config.yaml"),
    ].toSorted(),
  );
});
