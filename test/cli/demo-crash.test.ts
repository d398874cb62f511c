// The demo with a real kill in the middle: a real server, its store on disk, and everything that must be there after.

import { readdir } from "node:fs/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { checkDemo } from "../../scripts/demo-document.ts";
import { CancelledError } from "../../src/base/errors.ts";
import { systemClock } from "../../src/base/clock.ts";
import { DemoCrash } from "../../src/cli/demo-crash.ts";
import { DemoServer } from "../../src/cli/demo-server.ts";
import { DemoWatch } from "../../src/cli/demo-watch.ts";
import { runDemo } from "../../src/cli/demo.ts";
import type { TroupeApi } from "../../src/core/api.ts";
import { recordAt } from "./demo-events.ts";
import { plain } from "./demo-rig.ts";
import { newHome } from "./home.ts";
import { ScriptedTerminal, worldFor } from "./scripted-terminal.ts";

/** No faster: the moment of the kill has to be met over HTTP. */
const QUICK = { speed: 4 };
const LIMIT_MS = 90_000;

type Fields = Readonly<Record<string, unknown>>;

/** Whether a process is there; the pid stands in what was shown. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("troupe demo --crash", { timeout: LIMIT_MS }, () => {
  it("loses nothing to a kill -9: every fact is checked over HTTP, and holds", async () => {
    const terminal = new ScriptedTerminal();
    const code = await runDemo(["--crash", "--json"], worldFor(terminal), QUICK);
    const document = JSON.parse(terminal.out) as Fields;
    expect(document["failures"]).toEqual([]);
    expect(code).toBe(0);
    expect(checkDemo(terminal.out, { crash: true }).filter((check) => !check.passed)).toEqual([]);
    const crash = document["crash"] as Fields;
    expect(crash).toMatchObject({ durability: "full", tasks_before: 4, tasks_after: 4 });
    const kill = crash["kill"] as { readonly pid: number; readonly next_pid: number };
    expect([isAlive(kill.pid), isAlive(kill.next_pid)]).toEqual([false, false]);
  });

  it("shows the kill, the way back and the verdict, and is interrupted in the middle of it", async () => {
    const { cwd } = await newHome();
    vi.stubEnv("TMPDIR", cwd);
    const terminal = new ScriptedTerminal({ isScreen: true });
    const stop = new AbortController();
    const running = runDemo(["--crash"], worldFor(terminal, { signal: stop.signal }), QUICK);
    await terminal.until(({ out }) => out.includes("Troupe is dead for"));
    stop.abort(new CancelledError("Interrupted."));
    expect(await running).toBe(130);
    expect(plain(terminal.out)).toMatch(
      /kill -9 \d\d:\d\d:\d\d\.\d{3} UTC, pid \d+\. Under way: 2 children at work/,
    );
    expect(plain(terminal.err)).toBe("Interrupted. Everything that the demo started is closed.\n");
    const pid = Number(/UTC, pid (\d+)/.exec(plain(terminal.out))?.[1]);
    expect(isAlive(pid)).toBe(false);
    expect(await readdir(cwd)).toEqual([]);
  });
});

describe("DemoCrash", () => {
  it("judges a story that never came to the kill, and an API that is gone, without throwing", async () => {
    const stop = new AbortController();
    const record = recordAt(() => 0);
    const crash = new DemoCrash({
      api: {} as TroupeApi,
      server: new DemoServer({
        home: "/nowhere",
        configFile: "/nowhere",
        terminal: new ScriptedTerminal(),
        clock: systemClock,
      }),
      record,
      watch: new DemoWatch(record, stop.signal),
      clock: systemClock,
      signal: stop.signal,
    });
    const { kill, facts } = await crash.judge();
    expect(kill).toBeNull();
    expect(facts).toEqual([
      {
        name: "the kill is made and looked into",
        held: false,
        got: "the story did not come to the kill",
      },
    ]);
  });
});
