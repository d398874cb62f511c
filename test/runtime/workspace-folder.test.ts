import { expect, test } from "vitest";
import { folderOf } from "../../src/runtime/workspace-folder.ts";

test.each([
  ["box:box_1:/home/ann", "/home/ann"],
  ["box:b:/a:b/c", "/a:b/c"],
])("%s lies at %s", (workspace, folder) => {
  expect(folderOf(workspace)).toBe(folder);
});
