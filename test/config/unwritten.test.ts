import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkNotAppeared, markWithoutConfig, trustConfig } from "../../src/config/unwritten.ts";

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
