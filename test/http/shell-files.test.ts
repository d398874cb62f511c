import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readShellFiles } from "../../src/http/shell-files.ts";
import { importsOf } from "../architecture/imports.ts";
import { maskSource } from "../architecture/mask.ts";
import { ROOT } from "../architecture/tree.ts";

const WEB = join(ROOT, "web");

describe("the dashboard's files", () => {
  it("hold every module that one of them imports", async () => {
    const { files, imports } = await readShellFiles(WEB);
    const paths = new Set(files.map(({ path }) => path));
    const names = new Map(imports);
    const missing: string[] = [];
    for (const { path, body } of files.filter((file) => file.path.endsWith(".js"))) {
      const text = new TextDecoder().decode(body);
      for (const { specifier } of importsOf(text, maskSource(text))) {
        const found = specifier ?? "";
        const target = found.startsWith(".")
          ? new URL(found, `http://x/${path}`).pathname.slice(1)
          : names.get(found);
        if (target === undefined || !paths.has(target)) missing.push(`${path} imports ${found}`);
      }
    }
    expect(missing).toEqual([]);
    expect(imports.map(([name]) => name)).toContain("@preact/signals-core");
  });

  it("leave out what is no regular file, and what is of no served kind", async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "troupe-shell-")), "web");
    await mkdir(join(folder, "view"), { recursive: true });
    await writeFile(join(folder, "index.html"), "<p>page</p>");
    await writeFile(join(folder, "view", "a.js"), "1");
    await writeFile(join(folder, "notes.txt"), "secret");
    await writeFile(join(folder, ".env"), "secret");
    await symlink("/etc/hostname", join(folder, "host.js"));
    await symlink(join(ROOT, "node_modules"), join(folder, "..", "node_modules"));
    const { files, page } = await readShellFiles(folder);
    expect(files.map(({ path }) => path).filter((path) => !path.startsWith("npm/"))).toEqual(["view/a.js"]);
    expect(page).toBe("<p>page</p>");
  });

  it("are refused in words where a package is missing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "troupe-shell-"));
    await writeFile(join(folder, "index.html"), "");
    await expect(readShellFiles(folder)).rejects.toThrow(
      /the package \S+, which the dashboard imports.*npm ci/,
    );
  });
});
