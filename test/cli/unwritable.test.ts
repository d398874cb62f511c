import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { whyUnwritable } from "../../src/cli/unwritable.ts";

test("a place that is not there yet is judged by the folder above it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-unwritable-"));
  await writeFile(join(folder, "file"), "");
  expect(await whyUnwritable(join(folder, "file"))).toBeNull();
  expect(await whyUnwritable(join(folder, "a", "b", "c"))).toBeNull();
  expect(await whyUnwritable(join(folder, "file", "below"))).toContain("ENOTDIR");
  await rm(folder, { recursive: true });
});
