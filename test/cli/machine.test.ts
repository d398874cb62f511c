import { describe, expect, test } from "vitest";
import { shownMachine } from "../../machines/catalogue.ts";
import { machineGraph } from "../../web/model/machine-graph.js";
import { mermaidOf } from "../../web/model/mermaid.js";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";

async function line(...args: string[]) {
  const terminal = new ScriptedTerminal();
  const code = await runLine(["machine", ...args], terminal);
  return { code, out: terminal.out, err: terminal.err };
}

const mermaid = mermaidOf(machineGraph(shownMachine("agent")?.definition));

describe("troupe machine", () => {
  test("lists the machines without a name", async () => {
    const { code, out } = await line();
    expect(code).toBe(0);
    expect(out).toMatch(/^agent +version \d+ +One task/m);
    expect(out).toMatch(/^residency +version \d+ +One model/m);
  });

  test("outlines a machine: states under their parents, each with its moves", async () => {
    const { out } = await line("agent");
    const lines = out.split("\n");
    expect(lines[0]).toBe(`agent  version ${shownMachine("agent")?.version}`);
    expect(lines).toContain("  cancel → cancelled  / noteReason");
    expect(lines).toContain("    next_turn  (passing)");
    expect(lines).toContain(
      "    generating  (runs generate; tags: holds_lease holds_place active_time interruptible)",
    );
    expect(lines).toContain("      delta → stays  / stream");
    expect(lines).toContain(
      "      generate done [answered] → running.answering  / keepOutcome, closeTurn, noteAnswer",
    );
    expect(lines).toContain("    foldMail done [mailSinceFold] → itself, anew");
    expect(lines).toContain("  done  (final; tags: terminal)");
  });

  test("draws it with --mermaid, and gives either as JSON", async () => {
    expect((await line("agent", "--mermaid")).out).toBe(mermaid);
    const drawn = JSON.parse((await line("agent", "--mermaid", "--json")).out) as object;
    expect(drawn).toEqual({ name: "agent", version: shownMachine("agent")?.version, mermaid });
    expect(JSON.parse((await line("residency", "--json")).out)).toEqual(shownMachine("residency"));
    expect(JSON.parse((await line("--json")).out)).toEqual({ machines: ["agent", "residency"] });
  });

  test("says which there are for one that is not", async () => {
    const { code, err } = await line("toaster");
    expect(code).not.toBe(0);
    expect(err).toContain('There is no machine "toaster". Known: agent, residency.');
  });
});
