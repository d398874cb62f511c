// `troupe audit ls` and `troupe audit verify`: what a person does with the record of who did what, while a server runs or
// none. Both read the file beside its writer, and neither changes it.

import { resolve } from "node:path";
import { ConfigError, messageOf } from "../base/errors.ts";
import { AUDIT_SUFFIX } from "../audited.ts";
import { checkAudit } from "../store/audit-check.ts";
import type { AuditRow } from "../store/audit-chain.ts";
import { auditEnd } from "../store/audit-end.ts";
import type { Command, Invocation } from "./command.ts";
import { storeOf } from "./database.ts";
import { usageError } from "./flags.ts";
import { table } from "./table.ts";
import { counted } from "./task-lines.ts";

const SHOWN = 50;
const DIGEST_CHARS = 12;

/** The file that is named, else the one beside the config's store. Contract: throws ConfigError `store_in_memory`. */
async function logOf(invocation: Invocation): Promise<string> {
  const named = invocation.words[0];
  if (named !== undefined) return resolve(invocation.world.cwd, named);
  return `${await storeOf(undefined, invocation)}${AUDIT_SUFFIX}`;
}

/** Contract: what the file system says becomes ConfigError `file_unusable`. */
function reading<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (cause) {
    const message = `Expected to read the audit log ${path}, got: ${messageOf(cause)}. A server with a store in a file writes one; name another.`;
    throw new ConfigError("file_unusable", message, { cause, details: { path } });
  }
}

export const listAudit: Command = async (invocation) => {
  const { flags, printer } = invocation;
  const limit = flags.integer("limit", { least: 1, most: 100_000 }) ?? SHOWN;
  const { rows, broken } = reading(await logOf(invocation), (path) => auditEnd(path, limit));
  printer.document({ items: rows, broken });
  if (rows.length === 0) printer.note("Nothing was asked yet.");
  else {
    const heading = ["ROW", "TIME", "WHO", "WHAT", "TO", "OUTCOME", "DIGEST", ""];
    for (const line of table(heading, rows.map(cellsOf))) printer.row(line);
  }
  if (broken !== null) {
    printer.warn(
      `This log is not whole: ${broken}. \`${printer.program} audit verify\` names the first such place.`,
    );
  }
  return "ok";
};

function cellsOf(row: AuditRow): readonly string[] {
  const { seq, time, actor, action, target, outcome, digest, detail } = row;
  const when = new Date(time).toISOString().slice(0, 19);
  return [
    `${seq}`,
    when,
    actor,
    action,
    target ?? "",
    outcome,
    digest?.slice(0, DIGEST_CHARS) ?? "",
    detail ?? "",
  ];
}

/** A hash that an earlier `audit verify` printed. Contract: throws a usage error for another text. */
function hashIn({ flags }: Invocation, name: "head" | "after"): string | null {
  const hash = flags.text(name) ?? null;
  if (hash === null || /^[0-9a-f]{64}$/.test(hash)) return hash;
  throw usageError(
    `Expected --${name} to be the hash that an earlier \`audit verify\` printed: 64 hexadecimal digits.`,
  );
}

/** Contract: `problems` when a row is broken, or the one that was asked for is not there. */
export const verifyAudit: Command = async (invocation) => {
  const { printer } = invocation;
  const question = { expected: hashIn(invocation, "head"), after: hashIn(invocation, "after") };
  const path = await logOf(invocation);
  const report = reading(path, (file) => checkAudit(file, question));
  const { rows, files, head, broken, holds } = report;
  const isWhole = broken === null && holds !== false;
  printer.document({ path, ...report, ok: isWhole });
  if (broken) {
    printer.data([["red", "broken"], `  ${broken.file}, line ${broken.line}: ${broken.why}`]);
    printer.data(`    ${counted(rows, "row")} before it ${rows === 1 ? "is" : "are"} whole`);
  } else if (holds === false) {
    printer.data([["red", "cut"], `  ${path} has no row with that hash: it was cut, or is another log`]);
  } else {
    const where = files > 1 ? ` in ${files} files` : "";
    printer.data([
      ["green", "ok"],
      `  ${path}: ${counted(rows, "row")}${where}, none changed, moved or missing`,
    ]);
    printer.data(`    head: ${head.hash}`);
  }
  return isWhole ? "ok" : "problems";
};
