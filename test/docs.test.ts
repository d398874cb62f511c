// What the documents say is true of the checkout: paths exist, commands exist, the floors are the floors, records of
// decisions have their parts. It judges no wording.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FLOORS } from "./architecture/floors.ts";
import { ROOT, listFiles } from "./architecture/tree.ts";
import { commandsIn, pathsIn, recordProblems, changelogProblems } from "./architecture/documents.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const scripts = (JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts;
const DOCUMENTS = ["README.md", "AGENTS.md"] as const;

describe.each(DOCUMENTS)("%s", (document) => {
  const text = read(document);

  it("names paths that exist", () => {
    const paths = pathsIn(text);
    expect(paths.length).toBeGreaterThan(3);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("names commands that package.json has", () => {
    const commands = commandsIn(text);
    expect(commands).toContain("test");
    expect(commands.filter((command) => !(command in scripts))).toEqual([]);
  });

  it("draws every room on its floor", () => {
    for (const [floor, rooms] of FLOORS.entries()) {
      const row = text.split("\n").find((line) => line.startsWith(`    ${floor}  `)) ?? "";
      const drawn = new Set(row.match(/[\w/]+/g));
      expect(rooms.filter((room) => !drawn.has(room))).toEqual([]);
    }
  });
});

describe("AGENTS.md", () => {
  it("fits on 80 lines", () => {
    expect(read("AGENTS.md").trimEnd().split("\n").length).toBeLessThanOrEqual(80);
  });
});

describe("the records of decisions", () => {
  const files = listFiles("docs/adr");

  it("are numbered without gaps", () => {
    const numbers = files.map((path) => Number(/^docs\/adr\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]));
    expect(numbers).toEqual(files.map((_, at) => at + 1));
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files)("%s has its parts, its status word and the size of a page", (path) => {
    expect(recordProblems(path, read(path))).toEqual([]);
  });

  // A superseded record stays as it was, with paths of its time.
  const inForce = files.filter((path) => !/^Status: superseded/m.test(read(path)));

  it.each(inForce)("%s names paths and commands that exist", (path) => {
    expect(pathsIn(read(path)).filter((named) => !existsSync(join(ROOT, named)))).toEqual([]);
    expect(commandsIn(read(path)).filter((command) => !(command in scripts))).toEqual([]);
  });
});

describe("CHANGELOG.md", () => {
  it("keeps a changelog", () => {
    expect(changelogProblems(read("CHANGELOG.md"))).toEqual([]);
  });
});

describe("the checks of documents", () => {
  it("tell paths from other words in code", () => {
    const text = [
      "`src/core/`, `a/b.ts` and [a](docs/adr/), `LICENSE`, `README.md`, `src/x.ts:12`, `web/`",
      "not `application/json`, `config.yaml`, `.ts`, `POST /v1/tasks`, `@hono/node-server`, `qwen3:8b`, `provider/model`, `src/*`, https://a/b.md",
      "```sh\nnode src/cli/main.ts demo\n```",
    ].join("\n");
    expect(pathsIn(text)).toEqual([
      "src/core/",
      "a/b.ts",
      "LICENSE",
      "README.md",
      "src/x.ts",
      "web/",
      "src/cli/main.ts",
      "docs/adr/",
    ]);
  });

  it("find the scripts of npm commands, and leave npm's own commands alone", () => {
    expect(
      commandsIn("`npm run bench -- NAME`, `npm test`, `npm start` and `npm ci`; npm run -s check:demo"),
    ).toEqual(["bench", "test", "start", "check:demo"]);
  });

  const good =
    "# 0001. A title\n\nStatus: accepted\n\n## Context\nx\n\n## Decision\nx\n\n## Alternatives\nx\n\n## Consequences\nx\n";

  it.each([
    ["no status", good.replace("Status: accepted", "")],
    ["an unknown status", good.replace("accepted", "agreed")],
    ["another number", good.replace("# 0001", "# 0002")],
    ["a missing part", good.replace("## Alternatives", "## Options")],
    ["parts out of order", good.replace("## Context", "## Decision")],
    ["more than a page", `${good}${"word ".repeat(500)}`],
    ["too many lines", `${good}${"\n".repeat(60)}end`],
  ])("refuse a record with %s", (_name, text) => {
    expect(recordProblems("docs/adr/0001-a-title.md", good)).toEqual([]);
    expect(recordProblems("docs/adr/0001-a-title.md", text)).not.toEqual([]);
  });

  it.each([
    ["no unreleased part", "# Changelog\n\n## [0.1.0] - 2026-01-01\n"],
    ["a version without its date", "# Changelog\n\n## [Unreleased]\n\n## [0.1.0]\n"],
    ["an unknown kind of change", "# Changelog\n\n## [Unreleased]\n\n### Improved\n- x\n"],
    ["another title", "# History\n\n## [Unreleased]\n"],
  ])("refuse a changelog with %s", (_name, text) => {
    expect(changelogProblems(text)).not.toEqual([]);
  });
});
