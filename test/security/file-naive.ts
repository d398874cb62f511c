// The file tools as one writes them without thinking of an attacker: the positive controls of test/security. Each
// attack must succeed here, or it shows nothing about ours.

import { mkdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface Naive {
  read(path: string): Promise<string>;
  write(path: string, content: string): Promise<void>;
  remove(path: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
}

/** Joins and goes. */
export function naiveFiles(workspace: string): Naive {
  return {
    read: (path) => readFile(join(workspace, path), "utf8"),
    write: async (path, content) => {
      await mkdir(dirname(join(workspace, path)), { recursive: true });
      await writeFile(join(workspace, path), content);
    },
    remove: (path) => rm(join(workspace, path)),
    move: (from, to) => rename(join(workspace, from), join(workspace, to)),
  };
}

/** Checks where the path leads, and then goes there: right, until somebody swaps a link in between. */
export async function checkedWrite(
  workspace: string,
  { path, content }: { readonly path: string; readonly content: string },
): Promise<"written" | "refused"> {
  const real = await realpath(dirname(join(workspace, path)));
  if (real !== workspace && !real.startsWith(`${workspace}/`)) return "refused";
  await writeFile(join(workspace, path), content);
  return "written";
}
