// `troupe worktrees`: what the tasks of this box left in git worktrees, and taking away what nobody needs any more. It
// reads folders and the store's file, while a server runs or none; a task that is at work keeps its worktree.

import { resolve } from "node:path";
import { currentUid } from "../base/owner.ts";
import { ConfigError, ConflictError, messageOf, NotFoundError } from "../base/errors.ts";
import { troupeHome } from "../config/load.ts";
import { trustRepository } from "../config/unwritten.ts";
import { worktreeFolderOf } from "../config/worktree-folder.ts";
import { isTerminal, type State } from "../core/lifecycle.ts";
import { KeptWorktrees, type KeptWorktree } from "../kept-worktrees.ts";
import { statesIn } from "../store/sqlite-maintenance.ts";
import { resolvedPath } from "../toolsets/file-policy.ts";
import { hasAppearedIn, SEARCH_PATH } from "../worktrees.ts";
import type { Command, Invocation } from "./command.ts";
import { configOf, shortId } from "./connection.ts";
import { storeOf } from "./database.ts";
import { size } from "./doctor-checks.ts";
import { sandboxBy } from "./doctor-terminal.ts";
import { usageError } from "./flags.ts";
import { table } from "./table.ts";
import { counted } from "./task-lines.ts";

/** Whether its task has ended; `forgotten`: the store has it no more, `unknown`: there is no store to ask. */
type Standing = State | "forgotten" | "unknown";

interface Row extends KeptWorktree {
  readonly state: Standing;
}

export const listWorktrees: Command = async (invocation) => {
  const { printer } = invocation;
  const items = await rowsOf(invocation, await keptOf(invocation));
  printer.document({ items: items.map(wireOf) });
  if (items.length === 0) printer.note("No task left a worktree.");
  else {
    const heading = ["TASK", "STATE", "BRANCH", "COMMITS", "FILES", "SIZE", "PATH"];
    for (const line of table(heading, items.map(cellsOf))) printer.row(line);
  }
  for (const { taskId, note } of items) if (note !== undefined) printer.note(`${shortId(taskId)}: ${note}`);
  return "ok";
};

export const removeWorktrees: Command = async (invocation) => {
  const { flags, words, printer } = invocation;
  const [all, force] = [flags.has("all"), flags.has("force")];
  if (all === words.length > 0 || (all && force)) {
    throw usageError("Expected the ID of a task, with --force for what is not committed, or --all alone.");
  }
  const kept = await keptOf(invocation);
  const rows = await rowsOf(invocation, kept);
  const chosen = all ? rows.filter(isDone) : words.map((word) => named(word, rows));
  for (const row of chosen) refuseLive(row, force);
  const removed = [];
  for (const { taskId } of chosen) {
    const gone = await kept.remove(taskId, { force });
    removed.push({ task_id: taskId, ...gone });
    const stays = gone.branches.length === 0 ? "" : `; not merged, so they stay: ${gone.branches.join(", ")}`;
    printer.data(`${gone.path}${stays}`);
  }
  const left = all ? rows.length - chosen.length : 0;
  printer.document({ removed, left });
  if (left > 0) {
    const why = "their tasks are at work, or something in them is not committed";
    printer.note(`${counted(left, "worktree")} left: ${why} (${printer.program} worktrees).`);
  }
  return "ok";
};

/** A person vouches for a repository that appeared where agents have a shell. */
export const trustRepositoryIn: Command = async ({ words, printer, world }) => {
  const folder = await resolvedPath(resolve(world.cwd, words[0] as string));
  await trustRepository(troupeHome(world.env), folder);
  printer.document({ folder, trusted: true });
  printer.note(`Worktrees are made of the repository in ${folder} from now on.`);
  return "ok";
};

async function keptOf(invocation: Invocation): Promise<KeptWorktrees> {
  const { world } = invocation;
  const loaded = await configOf(invocation);
  const uid = currentUid();
  const { worktreeFolder: folder } = worktreeFolderOf({ ...loaded, ...world, uid });
  if (folder === undefined || world.processes === undefined) {
    throw new ConfigError(
      "no_home",
      "Expected a folder with worktrees, but HOME is not set. Set it, or name one in delegation.worktree_folder.",
      { details: { config_key: "delegation.worktree_folder" } },
    );
  }
  const sandbox = await sandboxBy(world, loaded);
  const { processes, clock, env } = world;
  const searchPath = env["PATH"] ?? SEARCH_PATH;
  const appeared = hasAppearedIn(env);
  return new KeptWorktrees({ processes, clock, folder, uid, sandbox, searchPath, hasAppeared: appeared });
}

async function rowsOf(invocation: Invocation, kept: KeptWorktrees): Promise<readonly Row[]> {
  const found = await kept.list();
  if (found.length === 0) return [];
  const ids = found.map(({ taskId }) => taskId);
  let states: ReadonlyMap<string, State> | null = null;
  try {
    states = statesIn(await storeOf(invocation.flags.text("store"), invocation), ids);
  } catch (error) {
    invocation.printer.note(`What became of the tasks cannot be told: ${messageOf(error)}`);
  }
  return found.map((row) => ({
    ...row,
    state: states === null ? "unknown" : (states.get(row.taskId) ?? "forgotten"),
  }));
}

function hasEnded({ state }: Row): boolean {
  return state === "forgotten" || (state !== "unknown" && isTerminal(state));
}

/** What `--all` takes: ended, known, and nothing in it that is not on a branch. */
function isDone(row: Row): boolean {
  return hasEnded(row) && row.dirty === false && row.commits !== null && !row.inside;
}

/** Contract: throws NotFoundError `worktree_not_found` for none and for several. */
function named(word: string, rows: readonly Row[]): Row {
  const meant = rows.filter(({ taskId }) => taskId.startsWith(word));
  const [row] = meant;
  if (row !== undefined && meant.length === 1) return row;
  throw new NotFoundError(
    "worktree_not_found",
    `Expected the id of a task that left a worktree, or the beginning of one, got ${word}, which ${meant.length === 0 ? "none has" : `${meant.length} have`}. See: troupe worktrees.`,
  );
}

/** Contract: throws ConflictError `worktree_in_use`. */
function refuseLive(row: Row, force: boolean): void {
  if (hasEnded(row) || (row.state === "unknown" && force)) return;
  const why =
    row.state === "unknown"
      ? "is not known to have ended (name its store with --store, or use --force)"
      : `is ${row.state}. Cancel it first: troupe cancel ${shortId(row.taskId)}`;
  throw new ConflictError(
    "worktree_in_use",
    `Expected the worktree of a task that has ended; ${row.taskId} ${why}.`,
  );
}

function cellsOf({ taskId, state, branch, commits, dirty, inside, bytes, path }: Row): readonly string[] {
  const files = dirty === null ? "?" : dirty ? "not committed" : "clean";
  const more = inside ? "+?" : "";
  return [
    shortId(taskId),
    state,
    branch,
    `${commits ?? "?"}${more}`,
    files,
    bytes === null ? "large" : size(bytes),
    path,
  ];
}

function wireOf({ taskId, ...row }: Row): Readonly<Record<string, unknown>> {
  return { task_id: taskId, ...row };
}
