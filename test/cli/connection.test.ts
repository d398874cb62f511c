import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Page, TaskView } from "../../src/core/api.ts";
import { parseConfig } from "../../src/config/load.ts";
import { CLIENT_FLAGS, configuredUrl, connect, findTask, shortId } from "../../src/cli/connection.ts";
import { parseFlags } from "../../src/cli/flags.ts";
import { Printer } from "../../src/cli/printer.ts";
import { newHome } from "./home.ts";
import { ScriptedTerminal, worldFor } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

let home = "";
let served: ServedRig;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-cli-"));
  served = await serveScripted();
});
afterAll(() => served.close());

async function connecting(env: Record<string, string>, args: readonly string[] = []) {
  const terminal = new ScriptedTerminal({ env: { TROUPE_HOME: home, ...env }, cwd: home });
  const parsed = parseFlags(args, CLIENT_FLAGS);
  return connect({ ...parsed, world: worldFor(terminal), printer: new Printer(terminal, false) });
}

describe("the address", () => {
  test.each([
    ["server: {port: 1234}", "http://127.0.0.1:1234"],
    ["server: {host: 0.0.0.0, insecure_allow_remote: true}", "http://127.0.0.1:7433"],
    ["server: {host: '::1'}", "http://[::1]:7433"],
  ])("of the config %s is %s", (text, url) => {
    expect(configuredUrl({ config: parseConfig(text, "f"), file: "f", baseDir: "/" })).toBe(url);
  });

  test.each([
    ["--url", {}, ["--url", "nonsense"]] as const,
    ["TROUPE_URL", { TROUPE_URL: "x y" }, []] as const,
  ])("in %s must be one", async (name, env, args) => {
    await expect(connecting({ TROUPE_TOKEN: "t", ...env }, args)).rejects.toThrow(
      new RegExp(`Expected ${name} to be an address`),
    );
  });

  test("of --url goes before TROUPE_URL, and the call arrives", async () => {
    const api = await connecting({ ...served.env, TROUPE_URL: "http://127.0.0.1:1" }, [
      "--url",
      `${served.url}/`,
    ]);
    expect((await api.status()).boxId).toBe("testbox");
  });
});

describe("the token", () => {
  test("without one, says that no server was started here", async () => {
    await expect(connecting({ TROUPE_URL: served.url })).rejects.toMatchObject({
      code: "server_unreachable",
    });
  });

  test("N1 is not read from this machine's file for a server elsewhere", async () => {
    await writeFile(join(home, "token"), `${served.env["TROUPE_TOKEN"]}\n`, { mode: 0o600 });
    await expect(connecting({ TROUPE_URL: "http://192.0.2.1:7433" })).rejects.toMatchObject({
      code: "token_missing",
      message: expect.stringContaining("TROUPE_TOKEN"),
    });
    const here = await connecting({ TROUPE_URL: served.url });
    expect((await here.status()).paused).toBe(false);
  });
});

describe("N2 the config of the working directory", () => {
  const elsewhere = "server: {host: 192.0.2.1, insecure_allow_remote: true}\n";

  test.each([{ TROUPE_TOKEN: "t" }, {}])("sends no token to another machine, with %j", async (token) => {
    const { home: own, cwd, env } = await newHome(elsewhere);
    await mkdir(own, { mode: 0o700 });
    await writeFile(join(own, "token"), `${"a".repeat(64)}\n`, { mode: 0o600 });
    let calls = 0;
    const terminal = new ScriptedTerminal({ env: { ...env, ...token }, cwd });
    const world = worldFor(terminal, {
      fetch: () => {
        calls += 1;
        return Promise.reject(new Error("asked"));
      },
    });
    const parsed = parseFlags([], CLIENT_FLAGS);
    const made = connect({ ...parsed, world, printer: new Printer(terminal, false) });
    await expect(made).rejects.toMatchObject({
      code: "server_elsewhere",
      message: expect.stringContaining("--url http://192.0.2.1:7433") as string,
    });
    expect(calls).toBe(0);
  });
});

test.each(["http://me:hush@127.0.0.1:1", "http://127.0.0.1:1/?t=hush", "hush:hush"])(
  "an address with a secret is refused and not repeated: %s",
  async (url) => {
    const said = await connecting({ TROUPE_URL: url }).catch((error: Error) => error.message);
    expect(said).toContain("Expected TROUPE_URL");
    expect(said).not.toContain("hush");
  },
);

describe("which task is meant", () => {
  test("the whole id, its beginning, with or without the prefix", async () => {
    const { taskId } = await served.api.delegate({ goal: "found" });
    for (const word of [taskId, shortId(taskId), taskId.slice(5, 14)]) {
      expect(await findTask(served.api, word)).toBe(taskId);
    }
    expect(shortId(taskId)).toMatch(/^task_[0-9a-f]{8}$/);
  });

  test("several that begin so are refused with their ids, none at all as not found", async () => {
    await served.api.delegate({ goal: "another" });
    await expect(findTask(served.api, "task_")).rejects.toThrow(
      /several begin with task_: task_\w+, task_\w+/,
    );
    await expect(findTask(served.api, "task_zz")).rejects.toMatchObject({ code: "task_not_found" });
    await expect(findTask(served.api, "ffffffffffff0")).rejects.toMatchObject({ kind: "not_found" });
  });

  test.each([
    ["no next cursor", { items: [] }],
    ["a next cursor behind nothing", { items: [], nextCursor: "more" }],
  ])("a foreign server that answers %s is asked once", async (_, page) => {
    let calls = 0;
    const list = () => {
      calls += 1;
      return Promise.resolve(page as unknown as Page<TaskView>);
    };
    await expect(findTask({ list }, "abc")).rejects.toMatchObject({ code: "task_not_found" });
    expect(calls).toBe(1);
  });
});
