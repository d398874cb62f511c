// Where a workspace lies on this box, and what it must not lead out of.

import type { Settings } from "../core/settings.ts";

/** The absolute path in a workspace's URI, `box:<box id>:<absolute path>`. */
export function folderOf(workspace: string): string {
  return workspace.slice(workspace.indexOf(":", "box:".length) + 1);
}

/** The root that is served there: the box's, or the whole worktree that the folder is in. */
export function servedRootOf(folder: string, settings: Settings): string {
  return worktreeAround(folder, settings) ?? settings.workspaceRoot;
}

/** The worktree that a folder is in; `null` for a folder of the box's own root. */
export function worktreeAround(
  folder: string,
  { worktreeFolder }: Pick<Settings, "worktreeFolder">,
): string | null {
  if (worktreeFolder === undefined || !folder.startsWith(`${worktreeFolder}/`)) return null;
  const [id = ""] = folder.slice(worktreeFolder.length + 1).split("/");
  return `${worktreeFolder}/${id}`;
}
