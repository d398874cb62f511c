import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { auditEnd } from "../../src/store/audit-end.ts";
import { AuditFile } from "../../src/store/audit-file.ts";
import { partsOf } from "../../src/store/audit-parts.ts";
import { noteOf } from "../store/audit-notes.ts";
import { newHome } from "./home.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";

type Home = Awaited<ReturnType<typeof newHome>>;

async function line({ env, cwd }: Home, args: readonly string[], more: Record<string, string> = {}) {
  const terminal = new ScriptedTerminal({ env: { ...env, ...more }, cwd });
  const code = await runLine(args, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

test("what was asked of a server is listed, verified, and found to be changed when it was", async () => {
  const home = await newHome("server: {port: 0}\nworkspace: .");
  await writeFile(join(home.cwd, "notes.txt"), "one line\n");
  const store = join(home.cwd, "kept.db");
  const terminal = new ScriptedTerminal({ env: home.env, cwd: home.cwd });
  await line(home, ["tokens", "add", "--scope", "read", "--name", "before"]);
  const serving = runLine(["serve", "--simulate", "--json", "--store", store], terminal);
  await terminal.until(({ lines }) => lines.length > 0);
  const { url } = JSON.parse(terminal.out) as { url: string };
  const made = await line(home, ["tokens", "add", "--scope", "control", "--name", "ci"]);
  const asCi = { TROUPE_URL: url, TROUPE_TOKEN: made.out.trim() };
  expect((await line(home, ["delegate", "Read notes.txt"], asCi)).code).toBe(0);
  const log = `${store}.audit`;
  expect((await stat(log)).mode & 0o777).toBe(0o600);
  const while_ = await line(home, ["audit", "verify", log]);
  expect(while_.out).toMatch(/^ok {2}.*none changed, moved or missing\n {4}head: [0-9a-f]{64}\n$/);
  terminal.pressCtrlC();
  expect(await serving).toBe(0);

  const shown = await line(home, ["audit", "ls", log]);
  expect(shown.out).toMatch(/troupe +token\.known +tok_[0-9a-f]{32} +ok +before, read\n/);
  expect(shown.out).toMatch(/troupe +token\.add +tok_[0-9a-f]{32} +ok +ci, control\n/);
  expect(shown.out).toMatch(/person:ci +task\.create +task_[0-9a-f]{32} +ok +[0-9a-f]{12}/);
  expect(shown.out).toMatch(/agent:task_[0-9a-f]{32} +tool\.call +read_file +begun +[0-9a-f]{12}/);
  expect(shown.out).not.toMatch(/notes\.txt|one line/);
  const json = await line(home, ["audit", "ls", log, "--limit", "1", "--json"]);
  expect((JSON.parse(json.out) as { items: unknown[] }).items).toHaveLength(1);

  const head = /head: (\w+)/.exec(while_.out)?.[1] ?? "";
  expect((await line(home, ["audit", "verify", log, "--head", head])).code).toBe(0);
  const text = await readFile(log, "utf8");
  await writeFile(log, text.replace("person:ci", "person:me"));
  const broken = await line(home, ["audit", "verify", log]);
  expect([broken.code, broken.out]).toEqual([3, expect.stringMatching(/^broken .*line 3: it was changed/)]);
  const rows = text.trimEnd().split("\n");
  await writeFile(log, `${rows.slice(0, 1).join("\n")}\n`);
  const cut = await line(home, ["audit", "verify", log, "--head", head]);
  expect([cut.code, cut.out]).toEqual([3, expect.stringContaining("no row with that hash")]);
});

test("where there is none it says so", async () => {
  const home = await newHome();
  const missing = await line(home, ["audit", "ls"]);
  expect([missing.code, missing.err]).toEqual([3, expect.stringContaining("troupe.db.audit")]);
  expect((await line(home, ["audit", "verify", "x", "--head", "abc"])).code).toBe(2);
  const empty = join(home.cwd, "empty");
  await writeFile(empty, "");
  expect((await line(home, ["audit", "ls", empty])).err).toContain("Nothing was asked yet");
});

test("a log in several files is one, of which no file may go unnoticed", async () => {
  const home = await newHome();
  const log = join(home.cwd, "log");
  const file = new AuditFile({ path: log, clock: systemClock, fullBytes: 1_000 });
  for (let at = 0; at < 12; at += 1) {
    file.note(noteOf(`task_${at}`));
    await Promise.resolve();
  }
  file.close();
  const [oldest = "", ...others] = partsOf(log);
  const whole = await line(home, ["audit", "verify", log]);
  expect(whole.out).toContain(`12 rows in ${others.length + 2} files`);
  const { hash } = auditEnd(oldest, 1).rows[0] ?? { hash: "" };
  await rm(oldest);
  const broken = await line(home, ["audit", "verify", log]);
  expect([broken.code, broken.out]).toEqual([
    3,
    expect.stringMatching(/^broken .*log\.d.000002, line 1: .*whole file/),
  ]);
  expect((await line(home, ["audit", "verify", log, "--after", hash])).code).toBe(0);
  expect((await line(home, ["audit", "verify", log, "--after", "x"])).code).toBe(2);

  const text = await readFile(log, "utf8");
  await writeFile(log, `${text}{}\n`);
  const shown = await line(home, ["audit", "ls", log]);
  expect([shown.code, shown.err]).toEqual([0, expect.stringContaining("not whole: the last line")]);
  expect(shown.out).toContain("task_11");
});
