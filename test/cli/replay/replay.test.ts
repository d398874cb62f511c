import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { HttpClient } from "../../../src/http/client.ts";
import { newHome } from "../home.ts";
import { runLine, ScriptedTerminal } from "../scripted-terminal.ts";
import { FakeScreen, KEYS } from "../top/fake-screen.ts";
import { recorded, textOf } from "./recordings.ts";

let cwd: string;
let ids: { readonly parent: string; readonly child: string };
beforeAll(async () => {
  cwd = (await newHome()).cwd;
  const { recording, parent, child } = await recorded();
  ids = { parent, child };
  await writeFile(join(cwd, "a.json"), textOf(recording));
  await writeFile(join(cwd, "bad.json"), "{}");
});

describe("served", () => {
  test("on this machine with a token of its own, to be looked at until Ctrl-C", async () => {
    const terminal = new ScriptedTerminal({ cwd });
    const running = runLine(["replay", "a.json", "--json"], terminal);
    await terminal.until(({ lines }) => lines.length === 1);
    const { url, token, tasks } = JSON.parse(terminal.out) as { url: string; token: string; tasks: number };
    expect([new URL(url).hostname, token.length, tasks]).toEqual(["127.0.0.1", 64, 2]);
    const client = new HttpClient({ baseUrl: url, token, fetch, clock: systemClock });
    expect(await client.tree()).toMatchObject([
      { taskId: ids.parent, children: [{ taskId: ids.child, state: "done" }] },
    ]);
    expect((await client.history({ taskId: ids.child })).items.at(-1)?.type).toBe("task.done");
    expect((await client.transcript(ids.child)).items).toHaveLength(2);
    await expect(client.cancel(ids.child)).rejects.toThrow(expect.objectContaining({ code: "recording" }));
    await expect(client.delegate({ goal: "x" })).rejects.toThrow(
      expect.objectContaining({ code: "recording" }),
    );
    const page = await fetch(url);
    expect([page.status, page.headers.get("content-type")]).toEqual([
      200,
      expect.stringContaining("text/html"),
    ]);
    expect((await fetch(`${url}/v1/tree`)).status).toBe(401);
    terminal.pressCtrlC();
    expect(await running).toBe(0);
  });

  test("what is no recording is refused before anything listens", async () => {
    for (const [file, code] of [
      ["bad.json", 2],
      ["none.json", 4],
    ] as const) {
      const terminal = new ScriptedTerminal({ cwd });
      expect(await runLine(["replay", file], terminal)).toBe(code);
      expect(terminal.out).toBe("");
    }
  });
});

describe("in a terminal", () => {
  test("goes back and forth over the events; tree and transcript follow, and nothing can be done", async () => {
    const streams = new FakeScreen(100, 24);
    const terminal = new ScriptedTerminal({ cwd, isScreen: true, streams, env: { NO_COLOR: "1" } });
    const running = runLine(["replay", "a.json", "--terminal"], terminal);
    await streams.until(({ text }) => /◆ recording (\d+)\/\1 /.test(text) && text.includes("└─task_"));
    streams.type("g");
    await streams.until(({ text }) => text.includes("before anything had happened"));
    expect(streams.text).toContain("No tasks yet.");
    streams.type(KEYS.right);
    await streams.until(({ text }) => text.includes("spawned as default on canned-1"));
    expect(streams.text).not.toContain("└─task_");
    streams.type("G");
    await streams.until(({ text }) => text.includes("└─task_"));
    streams.type(KEYS.down);
    await streams.until(({ text }) => text.includes("▸ └─task_"));
    streams.type("t");
    await streams.until(({ text }) => text.includes("the child's answer"));
    streams.type("t");
    await streams.until(({ text }) => text.includes("└─task_"));
    streams.type("c");
    await streams.until(({ text }) => text.includes("This is a recording"));
    streams.type("q");
    expect(await running).toBe(0);
  });

  test("needs one", async () => {
    expect(await runLine(["replay", "a.json", "-t"], new ScriptedTerminal({ cwd }))).toBe(2);
  });
});
