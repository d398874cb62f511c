// Where a child works: where its parent does, in a folder of the box's root, or in a git worktree of its own. Pure;
// throws before anything is stored.

import { InvalidRequestError, LimitError } from "../base/errors.ts";
import type { AgentDefinition } from "../core/agent.ts";
import type { DelegateRequest } from "../core/api.ts";
import type { Settings } from "../core/settings.ts";
import type { TaskSpec } from "../core/task.ts";
import { branchOf, type WorktreeSpec } from "../core/worktree.ts";
import { folderOf, worktreeAround } from "./workspace-folder.ts";

export interface WorkplaceFacts {
  readonly id: string;
  readonly agent: Pick<AgentDefinition, "isolation">;
  readonly parent: Pick<TaskSpec, "workspace"> | null;
  readonly settings: Settings;
}

/**
 * The workspace of a child, and the worktree that it is, if so.
 * Contract: throws InvalidRequestError `workspace_outside_root` or `detached_in_worktree`, LimitError `no_worktrees`.
 */
export function workplaceOf(
  request: Pick<DelegateRequest, "workspace" | "isolation" | "detached">,
  { id, agent, parent, settings }: WorkplaceFacts,
): Pick<TaskSpec, "workspace" | "worktree"> {
  const shared = workspaceOf(request.workspace, parent?.workspace ?? null, settings);
  // What the config keeps apart, no request puts together.
  const ofConfig = agent.isolation ?? settings.childAgent.isolation;
  if (request.isolation !== "worktree" && ofConfig !== "worktree") {
    checkDetached(request, shared, settings);
    return { workspace: shared };
  }
  const { worktreeFolder, boxId } = settings;
  if (worktreeFolder === undefined) throw noWorktrees();
  const workspace = `box:${boxId}:${worktreeFolder}/${id}`;
  return { workspace, worktree: { base: folderOf(shared), branch: branchOf(id) } };
}

/** A workspace is a folder in the root; `box:<box id>:<absolute path>`. */
export function workspaceOf(
  asked: string | undefined,
  inherited: string | null,
  { workspaceRoot: root, boxId }: Settings,
): string {
  if (asked === undefined && inherited !== null) return inherited;
  const path = asked ?? root;
  const inside =
    path === root || (path.startsWith(root === "/" ? "/" : `${root}/`) && !path.split("/").includes(".."));
  if (inside) return `box:${boxId}:${path}`;
  throw new InvalidRequestError(
    "workspace_outside_root",
    `Expected an absolute path in ${root} and got ${path}. Change workspace: in the config to serve another root.`,
    { details: { config_key: "workspace" } },
  );
}

/** The worktree of a parent goes when the parent ends, and a detached child would outlive it. */
function checkDetached(
  { detached }: Pick<DelegateRequest, "detached">,
  workspace: string,
  settings: Settings,
): void {
  if (detached !== true || worktreeAround(folderOf(workspace), settings) === null) return;
  throw new InvalidRequestError(
    "detached_in_worktree",
    "A detached child would outlive the worktree of its parent, which it would work in. Use isolation: worktree for it, or do not detach it.",
  );
}

export function noWorktrees(): LimitError {
  return new LimitError(
    "no_worktrees",
    "isolation: worktree was asked for, and this Troupe makes no worktrees: it needs git and a folder for them. " +
      "Name one in delegation.worktree_folder, or use isolation: shared.",
    { details: { config_key: "delegation.worktree_folder" } },
  );
}

/** The worktree of a task with the folder that it lies in; `null` for a task without one of its own. */
export function placeOfWorktree({
  worktree,
  workspace,
}: Pick<TaskSpec, "worktree" | "workspace">): (WorktreeSpec & { readonly path: string }) | null {
  return worktree === undefined ? null : { ...worktree, path: folderOf(workspace) };
}
