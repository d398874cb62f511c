// Where a workspace lies on this box.

/** The absolute path in a workspace's URI, `box:<box id>:<absolute path>`. */
export function folderOf(workspace: string): string {
  return workspace.slice(workspace.indexOf(":", "box:".length) + 1);
}
