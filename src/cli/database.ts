// `troupe backup` and `troupe db check`: what a person does with the store's file while a server runs on it, or none. Both
// read it beside its one writer, and neither changes it.

import { resolve } from "node:path";
import { ConfigError, messageOf, TroupeError } from "../base/errors.ts";
import { storeSettings } from "../config/store-settings.ts";
import { backupSqlite, checkSqlite, type CheckReport } from "../store/sqlite-maintenance.ts";
import type { Command, Invocation } from "./command.ts";
import { configOf } from "./connection.ts";
import { size } from "./doctor-checks.ts";
import type { Line } from "./printer.ts";
import { counted } from "./task-lines.ts";

/** The file that is meant: the one that was named, else the config's. Contract: throws ConfigError `store_in_memory`. */
export async function storeOf(named: string | undefined, invocation: Invocation): Promise<string> {
  if (named !== undefined) return resolve(invocation.world.cwd, named);
  const { config } = await configOf(invocation);
  const { path } = storeSettings(config, invocation.world.env);
  if (path !== null) return path;
  throw new ConfigError(
    "store_in_memory",
    "Expected a store in a file, but store.durability is none: what is in memory has no file. Name one, or set " +
      "store.durability: full.",
    { details: { config_key: "store.durability" } },
  );
}

/** What the file system said, as something that a person can mend; errors of Troupe stay as they are. */
function failureOf(thrown: unknown, path: string): TroupeError {
  if (thrown instanceof TroupeError) return thrown;
  const message = `Expected to use ${path}, got: ${messageOf(thrown)}. Name a file in a folder that is there and that you may use.`;
  return new ConfigError("file_unusable", message, { cause: thrown, details: { path } });
}

/** Contract: throws ConfigErrors and StoreErrors of the copy; no half of one is left then. */
export const backup: Command = async (invocation) => {
  const { flags, words, printer, world } = invocation;
  const source = await storeOf(flags.text("store"), invocation);
  const target = resolve(world.cwd, words[0] ?? "");
  try {
    const { bytes, tasks } = backupSqlite(source, target);
    printer.document({ source, target, bytes, tasks });
    printer.data(target);
    printer.note(`${counted(tasks, "task")} of ${source}, ${size(bytes)}. It read well.`);
    return "ok";
  } catch (thrown) {
    throw failureOf(thrown, target);
  }
};

/** Contract: `problems` when something is wrong with the file. Throws ConfigErrors for what is no store at all. */
export const checkDatabase: Command = async (invocation) => {
  const { words, printer } = invocation;
  const path = await storeOf(words[0], invocation);
  try {
    const report = checkSqlite(path);
    const isNewer = report.version > report.newestVersion;
    printer.document({ path, ...report, ok: report.ok && !isNewer });
    for (const line of reportLines(path, report)) printer.data(line);
    return report.ok && !isNewer ? "ok" : "problems";
  } catch (thrown) {
    throw failureOf(thrown, path);
  }
};

/** Pure. What was read, and what of it is wrong. */
export function reportLines(path: string, report: CheckReport): readonly Line[] {
  const { version, newestVersion, pages, findings, counts, bytes } = report;
  const wrong: Line[] = [
    ...(version > newestVersion
      ? [
          bad(
            `it has version ${version}, and this Troupe knows versions up to ${newestVersion}: start the newer one`,
          ),
        ]
      : []),
    ...pages.map((text) => bad(`damaged: ${text}`)),
    ...findings.map(({ rule, tasks }) => bad(`does not hold: ${rule} (${tasks.join(", ")})`)),
  ];
  const log = bytes.log === 0 ? "" : ` and ${size(bytes.log)} of log`;
  const facts = `${path}: version ${version}, ${size(bytes.file)}${log}, ${size(bytes.free)} of it free`;
  if (pages.length > 0) {
    const advice = "Keep a copy of it and its -wal file, and put the last backup in its place.";
    return [[["red", "damaged"], `  ${facts}`], ...wrong, [["dim", `→ ${advice}`]]];
  }
  const rows = `${counted(counts.tasks, "task")} in ${counted(counts.trees, "tree")}, ${counts.open} of them open; ${counted(counts.events, "event")}, ${counted(counts.transcript, "transcript row")}, ${counted(counts.inbox, "message")}`;
  return [[wrong.length === 0 ? ["green", "ok"] : ["red", "wrong"], `  ${facts}`], `    ${rows}`, ...wrong];
}

function bad(text: string): Line {
  return [["red", "    - "], text];
}
