import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { currentUid } from "../../src/base/owner.ts";
import { MAX_CONFIG_BYTES, readConfigFile } from "../../src/config/read-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-read-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string) => readConfigFile(join(folder, name), { named: true, uid: null });

it("gives the text of a file, and null where there is none", async () => {
  writeFileSync(join(folder, "a"), "model: ä\n");
  expect(await read("a")).toBe("model: ä\n");
  expect(await read("b")).toBeNull();
  expect(await read("a/b")).toBeNull();
});

it("R1 takes a file of the greatest length, and refuses one byte more", async () => {
  writeFileSync(join(folder, "a"), "x".repeat(MAX_CONFIG_BYTES));
  expect((await read("a"))?.length).toBe(MAX_CONFIG_BYTES);
  writeFileSync(join(folder, "a"), "x".repeat(MAX_CONFIG_BYTES + 1));
  await expect(read("a")).rejects.toMatchObject({
    code: "config_unreadable",
    message: expect.stringContaining(`more than ${MAX_CONFIG_BYTES} bytes`) as string,
  });
});

describe.skipIf(process.platform === "win32")("R1 reads no", () => {
  it.each([
    ["pipe", () => execFileSync("mkfifo", [join(folder, "a")])],
    ["endless device", () => symlinkSync("/dev/zero", join(folder, "a"))],
    ["folder", () => mkdirSync(join(folder, "a"))],
  ])("%s", async (_, make) => {
    make();
    await expect(read("a")).rejects.toMatchObject({
      code: "config_unreadable",
      message: expect.stringContaining("it is not a regular file") as string,
    });
  });
});

it.skipIf(currentUid() !== 0)("R2 follows no link of somebody else to a file of one's own", async () => {
  const { lchownSync } = await import("node:fs");
  writeFileSync(join(folder, "mine"), "model: mine\n", { mode: 0o600 });
  symlinkSync("mine", join(folder, "a"));
  const found = { named: false, uid: 0 };
  expect(await readConfigFile(join(folder, "a"), found)).toBe("model: mine\n");
  lchownSync(join(folder, "a"), 65_534, 65_534);
  await expect(readConfigFile(join(folder, "a"), found)).rejects.toMatchObject({ code: "config_untrusted" });
});
