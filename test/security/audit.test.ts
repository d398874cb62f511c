// T66 and T71: what an agent is refused is in the record, and a record that was tampered with is told from one that was
// not. The control is a log without hashes, in which nothing shows.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditedTool } from "../../src/audited.ts";
import { type AuditNote, NO_AUDIT } from "../../src/core/audit.ts";
import type { Tool, Toolset } from "../../src/core/tool.ts";
import { checkAudit } from "../../src/store/audit-check.ts";
import { chained, CHAIN_START } from "../../src/store/audit-chain.ts";
import { withApproval } from "../../src/toolsets/approval.ts";
import { delegationToolset } from "../../src/toolsets/delegation.ts";
import { call, hang, say } from "../../providers/script.ts";
import { converse } from "../runtime/conversation.ts";
import { RestartingBox } from "../runtime/restarting.ts";
import { agentNamed } from "../runtime/rig.ts";
import { noteOf } from "../store/audit-notes.ts";

let folder: string;
const lines: string[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-tamper-"));
  let head = CHAIN_START;
  for (let at = 0; at < 40; at += 1) {
    const next = chained(head, noteOf(`task_${at}`), at);
    ({ head } = next);
    lines.push(next.line);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Number of the first line that does not hold, from 1; `null` when all do. */
function brokenAt(rows: readonly string[]): number | null {
  const path = join(folder, "log");
  writeFileSync(path, rows.map((row) => `${row}\n`).join(""));
  return checkAudit(path).broken?.line ?? null;
}

/** What a log of plain JSON lines can tell: whether each parses. */
const naiveBrokenAt = (rows: readonly string[]): number | null => {
  const at = rows.findIndex((row) => typeof JSON.parse(row) !== "object");
  return at < 0 ? null : at + 1;
};

const place = fc.nat({ max: 38 });

describe("T71 a record that was tampered with", () => {
  const edited = (at: number): string[] =>
    lines.map((row, i) => (i === at ? row.replace("person:ci", "person:me") : row));
  const without = (at: number): string[] => lines.filter((_, i) => i !== at);
  const swapped = (at: number): string[] => {
    const rows = [...lines];
    [rows[at], rows[at + 1]] = [rows[at + 1] as string, rows[at] as string];
    return rows;
  };
  const twice = (at: number): string[] => lines.flatMap((row, i) => (i === at ? [row, row] : [row]));

  it.each([
    ["edited", edited, 1],
    ["deleted", without, 1],
    ["moved", swapped, 1],
    ["repeated", twice, 2],
  ] as const)("with a row that was %s fails at that row", (_what, tamper, line) => {
    fc.assert(
      fc.property(place, (at) => {
        expect(brokenAt(tamper(at))).toBe(at + line);
      }),
    );
    expect(naiveBrokenAt(tamper(5))).toBeNull();
  });

  it("is whole otherwise", () => {
    expect(brokenAt(lines)).toBeNull();
  });

  it("with a row made to fit by itself fails at the next: its hash is another", () => {
    const head = { seq: 5, hash: JSON.parse(lines[4] ?? "").hash as string };
    const forged = chained(head, noteOf("task_forged"), 5).line;
    expect(brokenAt(lines.map((row, i) => (i === 5 ? forged : row)))).toBe(7);
  });
});

describe("T66 an agent that reaches for a task which is not below it", () => {
  it.each(["steer_task", "cancel_task", "check_task", "collect_task"])(
    "by %s is refused, and noted",
    async (name) => {
      const notes: AuditNote[] = [];
      const audit = { ...NO_AUDIT, note: (note: AuditNote) => notes.push(note) };
      const plain = delegationToolset({ onInterrupt: "continue" });
      const watched: Toolset = {
        name: plain.name,
        description: plain.description,
        tools: (role) => plain.tools(role).map((tool) => auditedTool(tool, audit)),
      };
      const it = await converse(() => [hang()], { toolsets: [watched] });
      const foreign = await it.api.delegate({ goal: "private", parentId: await it.stranger() });
      const input = { task_id: foreign.taskId, ...(name === "steer_task" && { message: "do as I say" }) };
      expect(await it.refusal(name, input)).toContain("There is no task");
      expect(notes.map(({ target, outcome }) => `${target} ${outcome}`)).toEqual([
        `${name} begun`,
        `${name} task_not_found`,
      ]);
      expect(notes.every(({ actor }) => actor.startsWith("agent:ses_"))).toBe(true);
      expect(JSON.stringify(notes)).not.toContain("do as I say");
      expect((await it.api.check(foreign.taskId)).state).not.toBe("cancelled");
    },
  );
});

describe("a call that a person has to allow", () => {
  it.each([
    ["nobody answers", null, "denied_by_timeout"],
    ["a person says no", "no", "denied"],
  ])("and that is denied since %s is noted so, with when it was asked", async (_, answer, outcome) => {
    const notes: AuditNote[] = [];
    const audit = { ...NO_AUDIT, note: (note: AuditNote) => notes.push(note) };
    const it = askingBox((tool) => auditedTool(tool, audit));
    const { taskId } = await it.api.delegate({ goal: "tidy up", toolsets: ["danger"] });
    await it.clock.advance(1_000);
    await it.restart();
    expect(notes.map((note) => note.outcome)).toEqual(["begun", "asked"]);
    if (answer !== null) await it.api.answer(taskId, { text: answer });
    await it.clock.advance(APPROVAL_MS);
    expect((await it.record(taskId)).state).toBe("done");
    expect(notes.map((note) => note.outcome)).toEqual(["begun", "asked", "begun", outcome]);
    expect(new Set(notes.map(({ actor, target }) => `${actor} ${target}`))).toEqual(
      new Set([`agent:${taskId} delete_all`]),
    );
  });
});

const APPROVAL_MS = 60_000;

/** A box whose model wants to delete something, and asks first. */
function askingBox(watch: (tool: Tool) => Tool): RestartingBox {
  const tool: Tool = {
    definition: { name: "delete_all", description: "Deletes.", parameters: { type: "object" } },
    repeatable: false,
    run: () => Promise.resolve({ type: "result", value: "deleted" }),
  };
  const asking = withApproval(
    { name: "danger", description: "Deletes.", tools: () => [tool] },
    { approve: "always", reachesOut: false, timeoutMs: APPROVAL_MS },
  );
  return new RestartingBox({
    toolsets: [{ ...asking, tools: (role) => asking.tools(role).map(watch) }],
    settings: { sessionAgent: agentNamed("session", { toolsets: ["danger"], role: "orchestrator" }) },
    reply: ({ messages }) =>
      messages.some(({ parts }) => parts.some(({ type }) => type === "tool_result"))
        ? [say("tidied")]
        : [call("delete_all", { path: "x" })],
  });
}
