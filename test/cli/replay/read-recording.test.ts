import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { readRecording } from "../../../src/cli/replay/read-recording.ts";
import { newHome } from "../home.ts";
import { recorded, textOf } from "./recordings.ts";

let folder: string;
beforeEach(async () => {
  folder = (await newHome()).cwd;
});

test("a file that was exported is read", async () => {
  const { recording } = await recorded();
  const path = join(folder, "a.json");
  await writeFile(path, textOf(recording));
  expect(await readRecording(path)).toEqual(recording);
});

test("no file, a folder, and a file of more than may be read are refused in words", async () => {
  await expect(readRecording(join(folder, "none"))).rejects.toThrow(
    expect.objectContaining({ code: "no_such_file" }),
  );
  await mkdir(join(folder, "folder"));
  await expect(readRecording(join(folder, "folder"))).rejects.toThrow(/no regular file/);
  const large = join(folder, "large");
  await writeFile(large, "");
  // A file of holes: it takes no room, and none of it is read.
  await truncate(large, 300 * 1024 * 1024);
  await expect(readRecording(large)).rejects.toThrow(/of which at most 268435456 are read/);
});
