import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as errors from "../../src/base/errors.ts";
import { serve as listenTo } from "../../src/base/listen.ts";
import type { Outcome } from "../../src/cli/command.ts";
import { EXIT_CODES, exitCodeOf } from "../../src/cli/main.ts";
import { NOBODY, newHome } from "./home.ts";
import { pressUntilEnded, start } from "./real-program.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

describe("the table of exit codes", () => {
  test("has every outcome and every kind of error, each once", () => {
    const outcomes: readonly Outcome[] = ["ok", "failed", "unfinished", "interrupted", "problems"];
    expect(EXIT_CODES.flatMap((row) => row.outcomes).toSorted()).toEqual(outcomes.toSorted());
    const kinds = EXIT_CODES.flatMap((row) => row.kinds);
    expect(kinds.toSorted()).toEqual([
      "cancelled",
      "config",
      "conflict",
      "internal",
      "invalid_request",
      "limit",
      "not_found",
      "provider",
      "store",
      "tool",
    ]);
    expect(new Set(EXIT_CODES.map(({ code }) => code)).size).toBe(EXIT_CODES.length);
  });

  test.each([
    [new errors.ConfigError("x", ""), 3],
    [new errors.ConfigError("server_unreachable", ""), 7],
    [new errors.InvalidRequestError("x", ""), 2],
    [new errors.InvalidRequestError("unauthorized", ""), 3],
    [new errors.NotFoundError("x", ""), 4],
    [new errors.ConflictError("x", ""), 5],
    [new errors.LimitError("x", ""), 6],
    [new errors.ProviderError({ kind: "overloaded", code: "x" }, ""), 7],
    [new errors.StoreError("x", ""), 1],
    [new errors.CancelledError(), 130],
    [new errors.InternalError("x", ""), 1],
  ])("%o is %i", (error, code) => expect(exitCodeOf(error)).toBe(code));
});

describe("a line that names no command", () => {
  test.each([
    [["taks"], /no command "taks"\. Did you mean tasks\?/],
    [["tasks"], /a command after tasks, got none/],
    [["tasks", "lss"], /got "lss"\. Did you mean ls\?/],
    [["delegate"], /Expected 1 words after delegate, got 0\. Usage: troupe delegate "goal"/],
    [["delegate", "two", "words"], /got 2\. Usage/],
    [["tree", "--wtach"], /Did you mean --watch\?/],
  ])("%j is exit code 2 with what was meant", async (args, message) => {
    const terminal = new ScriptedTerminal();
    expect(await runLine(args, terminal)).toBe(2);
    expect(terminal.err).toMatch(message);
    expect(terminal.out).toBe("");
  });

  test("nothing at all shows the help on stderr with exit code 2", async () => {
    const terminal = new ScriptedTerminal();
    expect(await runLine([], terminal)).toBe(2);
    expect([terminal.out, terminal.err]).toEqual(["", expect.stringContaining("Usage: troupe COMMAND")]);
  });

  test.each([[["--help"]], [["help"]], [["tasks", "-h"]], [["tasks", "ls", "--help"]], [["chat", "-h"]]])(
    "%j shows help on stdout with exit code 0",
    async (args) => {
      const terminal = new ScriptedTerminal();
      expect(await runLine(args, terminal)).toBe(0);
      expect(terminal.out).toContain("Usage: troupe");
      expect(terminal.err).toBe("");
    },
  );
});

describe("a wrong token", () => {
  test("is exit code 3 and says which one is wanted", async () => {
    const served = await serveScripted();
    const terminal = served.terminal({ env: { TROUPE_TOKEN: "d".repeat(64) } });
    expect(await runLine(["tree"], terminal)).toBe(3);
    expect(terminal.err).toContain("TROUPE_TOKEN");
    await served.close();
  });
});

test("a command that waits for a silent server is left at Ctrl-C with 130", async () => {
  let asked = (): void => {};
  const arrived = new Promise<void>((resolve) => (asked = resolve));
  const silent = await listenTo(() => (asked(), new Promise(() => {})), { hostname: "127.0.0.1", port: 0 });
  const terminal = new ScriptedTerminal({ env: { TROUPE_URL: silent.url, TROUPE_TOKEN: "t" } });
  const running = runLine(["tasks", "ls"], terminal);
  await arrived;
  terminal.pressCtrlC();
  expect(await running).toBe(130);
  expect(terminal.err).toBe("");
  await silent.close();
});

// Starting a program takes seconds on a busy machine.
describe("the real program", { timeout: 60_000 }, () => {
  let served: ServedRig;
  beforeAll(async () => {
    served = await serveScripted();
  });
  afterAll(() => served.close());

  test("serves, is used by a second one through the token file, and stops at SIGTERM with 0", async () => {
    const { home, cwd, env } = await newHome("server: {port: 0}");
    const server = start(["serve", "--simulate", "--json"], env, cwd);
    const url = await server.until(/"url":"([^"]+)"/);
    const client = start(["tree", "--json", "--url", url], env, cwd);
    expect([await client.ended, client.out, client.err]).toEqual([0, '{"items":[]}\n', ""]);
    server.child.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(server.out).toContain(`"token_file":"${home}/token"`);
  });

  test("without an Ollama or a server it says what to type", async () => {
    const { cwd, env } = await newHome();
    const server = start(["serve", "--port", "0"], env, cwd);
    const client = start(["delegate", "x"], { ...env, TROUPE_URL: NOBODY, TROUPE_TOKEN: "t" }, cwd);
    expect([await server.ended, await client.ended]).toEqual([3, 7]);
    expect(server.err).toContain("ollama serve");
    expect(client.err).toMatch(/Start it with: npm start \(or: node \S+ serve\)/);
    expect(server.out + client.out).toBe("");
  });

  test.each(["SIGINT", "SIGHUP"] as const)(
    "%s once cancels what was delegated and leaves with 130",
    async (signal) => {
      const running = start(["delegate", "hang on"], served.env);
      const taskId = await running.until(/(task_[0-9a-f]{32})/);
      running.child.kill(signal);
      expect(await running.ended).toBe(130);
      expect((await served.api.check(taskId)).state).toBe("cancelled");
    },
  );

  test("SIGINT twice leaves at once with 130, though the server hangs", async () => {
    let calls = 0;
    const hung = await listenTo(
      async (request) => {
        calls += 1;
        // The first call delegates; every other one hangs, the cancel too.
        if (calls > 1) await new Promise(() => {});
        return fetch(served.url + new URL(request.url).pathname, {
          method: "POST",
          headers: {
            authorization: request.headers.get("authorization") ?? "",
            "content-type": "application/json",
          },
          body: await request.text(),
        });
      },
      { hostname: "127.0.0.1", port: 0 },
    );
    const running = start(["delegate", "hang on"], { ...served.env, TROUPE_URL: hung.url });
    const taskId = await running.until(/(task_[0-9a-f]{32})/);
    running.child.kill("SIGINT");
    await running.until(/Ctrl-C again leaves at once/);
    expect(await pressUntilEnded(running)).toBe(130);
    await served.api.cancel(taskId, { force: true });
    await hung.close();
  });

  test("chats through a pipe", async () => {
    const running = start(["chat"], served.env);
    running.child.stdin?.end("hello\ndelegate look\n");
    expect(await running.ended).toBe(0);
    expect(running.out).toBe("you said hello\nstarted\nheard result of look\n");
  });

  test("ends quietly when nobody reads on", async () => {
    const running = start(["--help"], {});
    running.child.stdout?.destroy();
    expect([0, 141]).toContain(await running.ended);
    expect(running.err).toBe("");
  });
});
