import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newHome } from "./home.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";

type Home = Awaited<ReturnType<typeof newHome>>;

async function line({ env, cwd }: Home, args: readonly string[], more: Record<string, string> = {}) {
  const terminal = new ScriptedTerminal({ env: { ...env, ...more }, cwd });
  const code = await runLine(args, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

test("a token is made, shown once, listed without itself, and revoked", async () => {
  const home = await newHome();
  expect((await line(home, ["tokens"])).err).toContain("tokens add --scope read");
  const made = await line(home, ["tokens", "add", "--scope", "control", "--name", "ci"]);
  expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^[0-9a-f]{64}\n$/)]);
  expect(made.err).not.toContain(made.out.trim());
  expect((await stat(join(home.home, "tokens"))).mode & 0o777).toBe(0o700);
  const shown = await line(home, ["tokens", "ls"]);
  expect(shown.out).toMatch(/^ID +NAME +SCOPE +MADE\ntok_[0-9a-f]{8} +ci +control +20\d\d-\d\d-\d\dT/);
  expect(shown.out).not.toContain(made.out.trim());
  const json = await line(home, ["tokens", "--json"]);
  expect(JSON.parse(json.out)).toMatchObject({ items: [{ name: "ci", scope: "control" }] });
  expect(json.out).not.toMatch(/hash|secret/);
  expect(await line(home, ["tokens", "revoke", "ci"])).toMatchObject({
    code: 0,
    err: expect.stringContaining("ci (tok_"),
  });
  expect((await line(home, ["tokens", "revoke", "ci"])).code).toBe(4);
});

test.each([
  [["tokens", "add", "--name", "x"]],
  [["tokens", "add", "--scope", "read"]],
  [["tokens", "add", "--scope", "root", "--name", "x"]],
  [["tokens", "add", "--scope", "read", "--name", "a b"]],
  [["tokens", "revoke"]],
])("%j is wrong use", async (args) => {
  expect((await line(await newHome(), args)).code).toBe(2);
});

test("says what to do where it cannot write", async () => {
  const home = await newHome();
  const refused = await line(home, ["tokens", "add", "--scope", "read", "--name", "x"], {
    TROUPE_HOME: "/proc/nowhere",
  });
  expect([refused.code, refused.err]).toEqual([3, expect.stringContaining("TROUPE_HOME")]);
});

test("a server that runs takes a token up without a restart, and lets go of it", async () => {
  const home = await newHome("server: {port: 0}\nworkspace: .");
  const terminal = new ScriptedTerminal({ env: home.env, cwd: home.cwd });
  const serving = runLine(["serve", "--simulate", "--json"], terminal);
  await terminal.until(({ lines }) => lines.length > 0);
  const { url } = JSON.parse(terminal.out) as { url: string };
  const made = await line(home, ["tokens", "add", "--scope", "read", "--name", "looker"]);
  const asLooker = { TROUPE_URL: url, TROUPE_TOKEN: made.out.trim() };
  expect((await line(home, ["tree"], asLooker)).code).toBe(0);
  const refused = await line(home, ["delegate", "x"], asLooker);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('the scope "control"')]);
  const watching = fetch(`${url}/v1/events`, { headers: { authorization: `Bearer ${made.out.trim()}` } });
  const reader = ((await watching).body as ReadableStream<Uint8Array>).getReader();
  await line(home, ["tokens", "revoke", "looker"]);
  // What it had opened ends by itself.
  for (let over = false; !over;) ({ done: over } = await reader.read());
  expect((await line(home, ["tree"], asLooker)).code).toBe(3);
  terminal.pressCtrlC();
  expect(await serving).toBe(0);
});
