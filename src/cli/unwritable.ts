// Why a file or a folder could not be written, in the system's own words.

import { access, constants } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../base/errors.ts";

/** Also of what does not exist yet: then of the folder that it would be made in. Contract: `null` when it could. */
export async function whyUnwritable(path: string): Promise<string | null> {
  try {
    await access(path, constants.W_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && dirname(path) !== path) return whyUnwritable(dirname(path));
    return `${path}: ${messageOf(error)}`;
  }
}
