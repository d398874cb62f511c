import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  checkNotAppeared,
  hasAppeared,
  markWithoutConfig,
  markWithoutRepository,
  trustConfig,
  trustRepository,
} from "../../src/config/unwritten.ts";

let home: string;
beforeAll(async () => {
  home = join(await mkdtemp(join(tmpdir(), "troupe-unwritten-")), "home");
});
afterAll(() => rm(join(home, ".."), { recursive: true }));

const check = (folder: string): Promise<void> => checkNotAppeared(home, join(folder, "config.yaml"));

it("refuses a config in a folder with a mark, and in no other", async () => {
  await expect(check("/srv/a")).resolves.toBeUndefined();
  await markWithoutConfig(home, "/srv/a/config.yaml");
  await markWithoutConfig(home, "/srv/a/config.yaml");
  await expect(check("/srv/a")).rejects.toMatchObject({
    kind: "config",
    code: "config_appeared",
    message: expect.stringContaining("--config /srv/a/config.yaml") as string,
  });
  await expect(check("/srv")).resolves.toBeUndefined();
  expect(await readdir(join(home, "without-config"))).toHaveLength(1);
  expect((await stat(join(home, "without-config"))).mode & 0o777).toBe(0o700);
});

it("is content once a person has spoken, and again after the next shell without one is not", async () => {
  await markWithoutConfig(home, "/srv/b/config.yaml");
  await trustConfig(home, "/srv/b/config.yaml");
  await trustConfig(home, "/srv/b/config.yaml");
  await expect(check("/srv/b")).resolves.toBeUndefined();
  await markWithoutConfig(home, "/srv/b/config.yaml");
  await expect(check("/srv/b")).rejects.toMatchObject({ code: "config_appeared" });
});

it("leaves a home that is no folder to who needs it", async () => {
  const file = join(home, "..", "a-file");
  await writeFile(file, "");
  await expect(checkNotAppeared(join(file, "home"), "/srv/c/config.yaml")).resolves.toBeUndefined();
  await expect(trustConfig(join(file, "home"), "/srv/c/config.yaml")).resolves.toBeUndefined();
});

it("knows a repository that appeared after a shell, until a person vouches for it", async () => {
  const [bare, worktree] = [join(home, "../bare"), join(home, "../worktree")];
  for (const folder of [bare, worktree]) await mkdir(folder);
  await writeFile(join(worktree, ".git"), "gitdir: elsewhere");
  for (const folder of [bare, worktree]) await markWithoutRepository(home, folder);
  expect([await hasAppeared(home, bare), await hasAppeared(home, worktree)]).toEqual([true, false]);
  // A config there is another matter.
  await expect(check(bare)).resolves.toBeUndefined();
  await trustRepository(home, bare);
  await trustRepository(home, bare);
  expect(await hasAppeared(home, bare)).toBe(false);
});
