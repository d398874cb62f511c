import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lifecycleDocument } from "../../scripts/lifecycle-document.ts";
import { pathsIn } from "../architecture/documents.ts";
import { ROOT } from "../architecture/tree.ts";

test("docs/lifecycle.md is what the machines say (npm run docs writes it anew)", () => {
  expect(readFileSync(join(ROOT, "docs/lifecycle.md"), "utf8")).toBe(lifecycleDocument());
});

test("it draws each machine, tells each of its states, and no cell of its tables breaks", () => {
  const text = lifecycleDocument();
  expect(text.match(/^```mermaid\nstateDiagram-v2$/gm)).toHaveLength(2);
  expect(text).toContain("| `running.generating` | Holds a lease: the model writes. Runs `generate`. |");
  for (const row of text.split("\n").filter((line) => line.startsWith("|"))) {
    expect([row, row.split("|")]).toEqual([row, expect.objectContaining({ length: 6 })]);
  }
  expect(pathsIn(text)).toContain("machines/agent.ts");
});
