import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { constants, rmSync, symlinkSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { messageOf } from "../../src/base/errors.ts";
import { relativePath } from "../../src/toolsets/workspace.ts";
import type { FilePolicy } from "../../src/toolsets/workspace.ts";
import { call as callAt, codeOf, makeFiles } from "./file-fixture.ts";
import type { CallOptions } from "./file-fixture.ts";

let base: string;
let workspace: string;
beforeAll(() => {
  ({ base, workspace } = makeFiles());
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const call = (name: string, input: object, over: Partial<CallOptions> = {}) =>
  callAt(name, input, { at: workspace, ...over });
const code = (name: string, input: object, over: Partial<CallOptions> = {}) =>
  codeOf(name, input, { at: workspace, ...over });

const OUTSIDE: readonly (readonly [string, string])[] = [
  ["../secret.txt", "bad_path"],
  ["a/../../secret.txt", "bad_path"],
  ["src/..", "bad_path"],
  ["..\\secret.txt", "bad_path"],
  ["/etc/passwd", "bad_path"],
  ["~", "bad_path"],
  ["~/secret", "bad_path"],
  ["%2e%2e/secret.txt", "not_found"],
  ["a.txt\0.md", "bad_path"],
  ["a\uD800", "bad_path"],
  ["link-file-out", "outside_workspace"],
  ["link-chain-out", "outside_workspace"],
  ["link-dir-out/passwd", "outside_workspace"],
  ["link-sibling/x.txt", "outside_workspace"],
  ["link-loop", "outside_workspace"],
  ["link-proc-root/etc/passwd", "outside_workspace"],
  ["link-environ", "outside_workspace"],
];

describe("W1 nothing outside of the workspace is reached", () => {
  it.each(OUTSIDE)("read_file refuses %j with %s", async (path, expected) => {
    expect(await code("read_file", { path })).toBe(expected);
  });

  it.each(["..", "/", "/etc", "link-dir-out", "link-sibling", "link-proc-root", "link-loop"])(
    "list_dir and search_files refuse %j",
    async (path) => {
      expect(await code("list_dir", { path })).toMatch(/^(bad_path|outside_workspace)$/);
      expect(await code("search_files", { path, text: "root" })).toMatch(/^(bad_path|outside_workspace)$/);
    },
  );

  it("names and paths longer than the system allows are refused", async () => {
    expect(await code("read_file", { path: "x".repeat(300) })).toBe("bad_path");
    expect(await code("read_file", { path: "x/".repeat(3000) })).toBe("bad_arguments");
    expect(() => relativePath("x/".repeat(3000), workspace)).toThrow(/at most 4096 characters/);
  });

  it("W4 a link asks about no path of this machine: what is there and what is not are told alike", async () => {
    const told = async (name: string, target: string): Promise<readonly string[]> => {
      const path = "link-that-asks";
      symlinkSync(target, join(workspace, path));
      const texts = await Promise.all(
        [path, `${path}/x`].map((each) => call(name, { path: each }).then(({ text }) => text, messageOf)),
      );
      rmSync(join(workspace, path));
      return texts;
    };
    for (const name of ["read_file", "list_dir"]) {
      const nothing = await told(name, "/nowhere/at/all");
      for (const target of ["/etc/passwd", "/etc", "/dev/null", "/proc/1/mem", "../secret.txt"]) {
        expect([target, await told(name, target)]).toEqual([target, nothing]);
      }
    }
  });

  it("a folder whose name begins like the workspace's is outside", async () => {
    expect(await code("read_file", { path: `${workspace}-other/x.txt` })).toBe("bad_path");
  });

  it("search_files finds nothing behind links that lead out", async () => {
    expect((await call("search_files", { text: "SECRET" })).text).toMatch(/^Nothing found for "SECRET"/);
  });

  it("links inside that stay inside are fine, and so is the absolute path of a file inside", async () => {
    for (const path of ["link-inside", "a.txt", "./a.txt", join(workspace, "a.txt")]) {
      expect((await call("read_file", { path })).text).toMatch(
        /^a\.txt, lines 1-3 \(14 bytes, version \w{16}\):\none\ntwo\nthree$/,
      );
    }
    expect((await call("list_dir", { path: "link-dir-inside" })).text).toBe("src/deep/\nsrc/main.ts 42");
  });

  it("a workspace reached through a link is itself", async () => {
    symlinkSync(workspace, join(base, "alias"));
    expect((await call("read_file", { path: "a.txt" }, { at: join(base, "alias") })).text).toContain("one");
    expect(await code("read_file", { path: "link-file-out" }, { at: join(base, "alias") })).toBe(
      "outside_workspace",
    );
  });

  it("kernel interfaces are refused even where the workspace is /", async () => {
    expect(await code("read_file", { path: "/proc/self/environ" }, { at: "/" })).toBe("outside_workspace");
    expect(await code("read_file", { path: "dev/null" }, { at: "/" })).toBe("not_a_file");
  });

  it("a workspace that is not there is said so", async () => {
    expect(await code("list_dir", {}, { at: join(base, "gone") })).toBe("no_workspace");
  });

  it("the policy keeps files inside from being read, by where they really are", async () => {
    const policy: FilePolicy = (path) => (path.startsWith(".git/") ? "kept back" : null);
    symlinkSync(".git/config", join(workspace, "link-git"));
    expect(await code("read_file", { path: ".git/config" }, { policy })).toBe("kept_back");
    expect(await code("read_file", { path: "link-git" }, { policy })).toBe("kept_back");
    rmSync(join(workspace, "link-git"));
  });
});

describe("W5 the root of the box", () => {
  it("refuses a workspace that a link inside the root leads out of it", async () => {
    const [root, at] = [workspace, join(workspace, "link-sibling")];
    expect(await code("read_file", { path: "x.txt" }, { at, root })).toBe("no_workspace");
    expect(await code("list_dir", {}, { at, root })).toBe("no_workspace");
    expect(await code("search_files", { text: "SECRET" }, { at, root })).toBe("no_workspace");
  });

  it("takes a folder in it, itself, and one that a link inside leads to; a root may be a link too", async () => {
    const alias = join(base, "root-alias");
    symlinkSync(workspace, alias);
    for (const at of [workspace, join(workspace, "src"), join(workspace, "link-dir-inside"), alias]) {
      for (const root of [workspace, alias]) {
        expect((await call("search_files", { text: "needle" }, { at, root })).text).toContain("main.ts:1");
      }
    }
    rmSync(alias);
  });

  it("refuses everything while the root is not there", async () => {
    expect(await code("list_dir", {}, { at: workspace, root: join(base, "gone") })).toBe("no_workspace");
  });
});

describe("W2 opening never waits", () => {
  it("refuses a pipe without a writer, at once", async () => {
    execFileSync("mkfifo", [join(workspace, "pipe")]);
    expect(await code("read_file", { path: "pipe" })).toBe("not_a_file");
    expect((await call("search_files", { text: "needle", glob: "pipe" })).text).toContain("Nothing found");
    expect((await call("list_dir", {})).text).toContain("pipe (no regular file)");
    rmSync(join(workspace, "pipe"));
  });

  it("does not set a writer going that waits for a reader of its pipe", async () => {
    const pipe = join(workspace, "pipe");
    execFileSync("mkfifo", [pipe]);
    let isOpen = false;
    // Opening for writing waits for a reader; any open of ours would be one.
    const writer = open(pipe, constants.O_WRONLY).then((handle) => {
      isOpen = true;
      return handle;
    });
    for (let n = 0; n < 50; n++) {
      expect(await code("read_file", { path: "pipe" })).toBe("not_a_file");
      expect(await code("list_dir", { path: "pipe" })).toBe("not_a_file");
    }
    expect(isOpen).toBe(false);
    const reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    await (await writer).close();
    await reader.close();
    rmSync(pipe);
  });

  it("refuses a socket", async () => {
    const server = createServer().listen(join(workspace, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await code("read_file", { path: "socket" })).toBe("not_a_file");
    await new Promise((resolve) => server.close(resolve));
  });
});
