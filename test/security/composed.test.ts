// Attacks on a Troupe as it is put together (T20, T29, T30, T33, T60, T64), where a part that holds by itself could have
// been left out: its model does what the attacker says, its web is real servers, its programs are real programs.

import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import type { ProcessHost } from "../../src/base/process.ts";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { listen } from "../../src/listen.ts";
import { HttpClient } from "../../src/http/client.ts";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";
import { printable } from "../../src/cli/printable.ts";
import { runLine, ScriptedTerminal } from "../cli/scripted-terminal.ts";
import { git, makeRepository } from "../git-repository.ts";
import { missing } from "../sandbox/machine.ts";
import { puppet, type Puppet, type PuppetOptions } from "./puppet.ts";
import { naive, PUBLIC, redirect, SECRET, webStage, type WebStage } from "./web-stage.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function boxed(options: PuppetOptions = {}): Promise<Puppet> {
  const made = await puppet(options);
  closing.push(() => made.close());
  return made;
}

async function onStage(): Promise<{ readonly stage: WebStage; readonly box: Puppet }> {
  const stage = await webStage();
  closing.push(() => stage.close());
  const { request, resolve } = stage.options;
  const box = await boxed({
    config: { tools: { web: { ports: [80, 443, stage.port, stage.innerPort] } } },
    world: { web: { request, resolve, ownAddresses: () => [] } },
  });
  return { stage, box };
}

const fetching = (url: string) => ({ tool: "web_fetch", args: { url } });

describe("the web of a composed Troupe", () => {
  it("T29 asks a name once, and goes where that answer led", async () => {
    const { stage, box } = await onStage();
    const rebinding = (n: number): readonly string[] => (n === 0 ? [PUBLIC] : ["127.0.0.1"]);
    stage.names.set("rebind.test", rebinding);
    const url = `http://rebind.test:${stage.port}/`;
    const { told } = await box.play([fetching(url)], ["web"]);
    expect(told.join()).toContain("hello");
    expect([stage.resolutions, stage.connections, stage.innerHits()]).toEqual([["rebind.test"], [PUBLIC], 0]);
    const { told: later } = await box.play([fetching(`http://rebind.test:${stage.innerPort}/`)], ["web"]);
    expect(later.join()).toMatch(/address/);
    expect([later.join().includes(SECRET), stage.innerHits()]).toEqual([false, 0]);
    // Control: who resolves, checks and lets another resolve again reaches the inner server.
    stage.names.set("naive.test", rebinding);
    await stage.options.resolve("naive.test");
    expect(await naive(`http://naive.test:${stage.innerPort}/`, stage.options.resolve)).toBe(SECRET);
  });

  it("T30 checks each hop anew", async () => {
    const { stage, box } = await onStage();
    stage.names.set("inner.test", () => ["127.0.0.1"]);
    const targets = [
      `http://127.0.0.1:${stage.innerPort}/`,
      `http://inner.test:${stage.innerPort}/`,
      "file:///etc/passwd",
      `http://page.test:9/`,
    ];
    for (const [at, target] of targets.entries()) {
      stage.pages.set(`/${at}`, redirect(target));
      const { told } = await box.play([fetching(`http://page.test:${stage.port}/${at}`)], ["web"]);
      expect([target, told.join()]).toEqual([target, expect.not.stringContaining(SECRET)]);
      expect(told.join()).not.toContain("hello");
    }
    expect(stage.innerHits()).toBe(0);
    // Control: a fetch that follows by itself gets there.
    const followed = await fetch(`http://127.0.0.1:${stage.port}/0`);
    expect(await followed.text()).toBe(SECRET);
  });

  it("T33 reaches neither its model server nor its own port, by any of their names", async () => {
    const { box } = await onStage();
    const { port } = new URL(box.modelUrl);
    for (const url of [
      `${box.modelUrl}/models`,
      `http://localhost:${port}/models`,
      "http://127.0.0.1:7433/",
      "http://localhost:11434/api/tags",
    ]) {
      const { told } = await box.play([fetching(url)], ["web"]);
      expect([url, told.join().includes("data")]).toEqual([url, false]);
      expect(told.join()).toMatch(/a server of this box|not among|port/);
    }
    // Control: the model server answers whoever may ask it.
    expect(await (await fetch(`${box.modelUrl}/models`)).text()).toContain("data");
  });
});

describe("what a model says, to a person", () => {
  const HOSTILE = [
    "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "\u001B]52;c;aGVsbG8=\u0007\u001B]8;;http://evil.test\u001B\\click\u001B]8;;\u001B\\\u001B[2J\u009B31m",
  ].join(" ");

  it("T20 T64 is JSON that no browser guesses at, text without controls on a screen, and no address in it is asked", async () => {
    const stage = await webStage();
    closing.push(() => stage.close());
    const box = await boxed();
    const image = `![x](http://127.0.0.1:${stage.innerPort}/?leak=secret) [y](http://127.0.0.1:${stage.innerPort}/)`;
    const token = "ab".repeat(32);
    const served = await listen({
      host: "127.0.0.1",
      port: 0,
      token,
      world: {
        clock: systemClock,
        random: systemRandom,
        fetch,
        env: {},
        cwd: box.folder,
        writeLog: () => {},
      },
      allowedHosts: [],
      allowedOrigins: [],
      insecureAllowRemote: false,
    });
    closing.push(() => served.close());
    served.open({ as: (caller) => box.troupe.as(caller), logger: silentLogger });
    const { taskId, result } = await box.play([`${HOSTILE} ${image}`], []);
    // Control: that is what the model said, and what a naive screen would have been sent.
    expect(result).toContain("<img src=x onerror=alert(1)>");
    expect(HOSTILE).not.toBe(printable(HOSTILE));
    const { url } = served.listening;
    for (const path of ["", "/result", "/transcript"]) {
      const { headers } = await fetch(`${url}/v1/tasks/${taskId}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(headers.get("content-type")).toBe("application/json");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    }
    const client = new HttpClient({ baseUrl: url, token, fetch, clock: systemClock });
    expect((await client.collect(taskId)).result).toContain("onerror");
    for (const words of [["tasks", "get", taskId], ["tasks", "tail", taskId], ["tasks", "ls"], ["tree"]]) {
      const env = { TROUPE_URL: url, TROUPE_TOKEN: token, NO_COLOR: "1", HOME: box.folder };
      const terminal = new ScriptedTerminal({ env, cwd: box.folder });
      await runLine(words, terminal);
      // oxlint-disable-next-line no-control-regex
      expect([words[1], /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/.test(terminal.out)]).toEqual([
        words[1],
        false,
      ]);
    }
    expect(stage.innerHits()).toBe(0);
  });
});

describe("T60 the keys of the server, in what it starts", () => {
  const CANARY = "sk-canary-0123456789abcdef";
  const ENV = { OPENAI_API_KEY: CANARY, TROUPE_TOKEN: CANARY, AWS_SECRET_ACCESS_KEY: CANARY, HOME: "/root" };

  /** Everything that a program was started with. */
  function recording(): { readonly processes: ProcessHost; readonly seen: string[] } {
    const seen: string[] = [];
    return {
      seen,
      processes: {
        start: (spec) => {
          seen.push(JSON.stringify(spec));
          return nodeProcesses.start(spec);
        },
        run: (argv, options) => {
          seen.push(JSON.stringify([argv, options.env, options.cwd]));
          return nodeProcesses.run(argv, options);
        },
      },
    };
  }

  it.skipIf(missing !== null)(
    "are in no argument and no environment of a shell, of git or of the sandbox",
    async () => {
      const { base, repository } = makeRepository();
      writeFileSync(join(repository, "notes.txt"), "x");
      chmodSync(base, 0o755);
      const own = (path: string): void => {
        if (process.getuid?.() === 0) chownSync(path, 65_534, 65_534);
      };
      git(repository, "add", ".");
      git(repository, "commit", "-qm", "x");
      own(repository);
      const plain = join(base, "plain");
      mkdirSync(plain);
      own(plain);
      const { processes, seen } = recording();
      const box = await boxed({
        workspace: base,
        world: {
          processes,
          env: {
            ...ENV,
            PATH: process.env["PATH"] ?? "",
            TROUPE_HOME: join(base, "home"),
            XDG_DATA_HOME: join(base, "data"),
          },
        },
        config: { agents: { builder: { toolsets: ["terminal"] } } },
      });
      const look = {
        tool: "terminal",
        args: {
          command:
            "env; set; tr '\\0' '\\n' < /proc/self/environ; cat /proc/[0-9]*/environ | tr '\\0' '\\n'; echo looked",
        },
      };
      const { told } = await box.play([look], ["terminal"], { workspace: plain });
      expect(told.join()).toContain("looked");
      // Neither the keys nor what would stand in their place, if they had been there.
      expect(told.join()).not.toMatch(/canary|redacted|API_KEY|AWS_|TROUPE_/);
      await box.play([], ["file"], { workspace: repository, isolation: "worktree" });
      expect(seen.some((each) => each.includes("bwrap"))).toBe(true);
      expect(seen.some((each) => each.includes('"git"'))).toBe(true);
      expect(seen.filter((each) => /canary|API_KEY|AWS_SECRET/.test(each))).toEqual([]);
    },
  );

  it("(control) a program that is started as most are has them", async () => {
    const { stdout } = await nodeProcesses.run(["env"], {
      env: { ...ENV, PATH: "/usr/bin:/bin" },
      maxBytes: 10_000,
    });
    expect(stdout).toContain(CANARY);
  });
});
