// Which files the dashboard consists of: everything of the served kinds in its folder, and the npm modules by name.
// It reads regular files only and follows no link inside the folder.

import { readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InternalError } from "../base/errors.ts";

export interface ShellFile {
  /** Below the dashboard's address, with forward slashes. */
  readonly path: string;
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** A module that the first page needs. */
  readonly early: boolean;
}

export interface ShellFiles {
  /** The text of the page, with its places unfilled. */
  readonly page: string;
  readonly files: readonly ShellFile[];
  /** The import map: a module's name and the path that it has among the files. */
  readonly imports: readonly (readonly [name: string, path: string])[];
}

const PAGE = "index.html";
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

interface NpmModule {
  readonly name: string;
  readonly package: string;
  readonly file: string;
  /** The package that brings it, where it is none of our own dependencies. */
  readonly via?: string;
  /** Only some pages need it. */
  readonly late?: true;
}

/** What the dashboard imports by name: the browsers' builds, as their packages ship them. */
const NPM_MODULES: readonly NpmModule[] = [
  { name: "preact", package: "preact", file: "dist/preact.mjs" },
  { name: "preact/hooks", package: "preact", file: "hooks/dist/hooks.mjs" },
  { name: "@preact/signals", package: "@preact/signals", file: "dist/signals.mjs" },
  {
    name: "@preact/signals-core",
    package: "@preact/signals-core",
    file: "dist/signals-core.mjs",
    via: "@preact/signals",
  },
  { name: "htm", package: "htm", file: "dist/htm.mjs" },
  { name: "htm/preact", package: "htm", file: "preact/index.mjs" },
  { name: "@dagrejs/dagre", package: "@dagrejs/dagre", file: "dist/dagre.esm.js", late: true },
];

/** Parts of the dashboard that are loaded when they are first shown. */
const LATE_FOLDERS: readonly string[] = ["chart/"];

/**
 * Everything that the dashboard consists of.
 * Contract: throws InternalError `dashboard_incomplete` where a package is missing, else the system's error.
 */
export async function readShellFiles(folder: string): Promise<ShellFiles> {
  const paths = (await pathsIn(folder)).filter((path) => extensionOf(path) in TYPES);
  const own = paths.map(async (path): Promise<ShellFile> => {
    const early = path.endsWith(".js") && !LATE_FOLDERS.some((late) => path.startsWith(late));
    return { path, type: typeOf(path), body: await bytesOf(join(folder, path)), early };
  });
  const npm = NPM_MODULES.map(async (module): Promise<ShellFile> => {
    const path = npmPath(module);
    const body = await bytesOf(join(await packageFolder(folder, module), module.file));
    return { path, type: typeOf(path), body, early: !module.late };
  });
  return {
    page: await readFile(join(folder, PAGE), "utf8"),
    files: await Promise.all([...own, ...npm]),
    imports: NPM_MODULES.map((module) => [module.name, npmPath(module)]),
  };
}

function npmPath({ name }: NpmModule): string {
  return `npm/${name.replaceAll(/[@/]+/g, "-").replace(/^-/, "")}.js`;
}

/** Regular files below the folder, sorted, with forward slashes. */
async function pathsIn(folder: string, below = ""): Promise<readonly string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = `${below}${entry.name}`;
      if (entry.isDirectory()) return pathsIn(folder, `${path}/`);
      return entry.isFile() ? [path] : [];
    }),
  );
  return found.flat().toSorted();
}

/** Where npm put a package: beside us or above, as any import is resolved. */
async function packageFolder(folder: string, { package: name, via }: NpmModule): Promise<string> {
  let start = folder;
  if (via !== undefined) start = await packageFolder(folder, { name: via, package: via, file: "" });
  for (let at = start; ; at = dirname(at)) {
    try {
      return await realpath(join(at, "node_modules", name));
    } catch (error) {
      if (dirname(at) !== at) continue;
      throw new InternalError(
        "dashboard_incomplete",
        `Expected the package ${name}, which the dashboard imports, in a node_modules above ${folder}. Run npm ci.`,
        { cause: error },
      );
    }
  }
}

async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path));
}

function extensionOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function typeOf(path: string): string {
  return TYPES[extensionOf(path)] ?? "application/octet-stream";
}
