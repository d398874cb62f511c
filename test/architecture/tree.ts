// Reads the sources of the checkout. The only file here that touches the disk: the rules see texts.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { functionsOf } from "./functions.ts";
import type { FoundFunction } from "./functions.ts";
import { importsOf } from "./imports.ts";
import type { ImportEdge } from "./imports.ts";
import { maskSource } from "./mask.ts";
import type { MaskedSource } from "./mask.ts";

/** The root of the checkout, absolute. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly masked: MaskedSource;
  readonly imports: readonly ImportEdge[];
  readonly functions: readonly FoundFunction[];
}

/** Contract: pure. */
export function sourceFile(path: string, text: string): SourceFile {
  const masked = maskSource(text);
  return { path, text, masked, imports: importsOf(text, masked), functions: functionsOf(masked.code) };
}

/** Every file under `folder`, relative to the root; a folder that is missing has none. */
export function listFiles(folder: string): readonly string[] {
  const absolute = join(ROOT, folder);
  if (!statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(...entry.parentPath.slice(ROOT.length).split(/[\\/]/), entry.name))
    .filter((path) => !path.includes("node_modules/"))
    .toSorted();
}

const isCode = (path: string): boolean => /\.m?[jt]s$/.test(path);

/** The sources under the folders, read and scanned. */
export function readSources(folders: readonly string[]): readonly SourceFile[] {
  return folders
    .flatMap(listFiles)
    .filter(isCode)
    .map((path) => sourceFile(path, readFileSync(join(ROOT, path), "utf8")));
}
