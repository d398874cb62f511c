import { afterAll, beforeAll, expect, test } from "vitest";
import { start } from "../real-program.ts";
import { runLine } from "../scripted-terminal.ts";
import { serveScripted, type ServedRig } from "../served.ts";
import { FakeScreen, KEYS } from "./fake-screen.ts";

let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted();
});
afterAll(() => served.close());

test("shows tasks as they come, sends a steer, cancels a subtree, and gives the screen back", async () => {
  const streams = new FakeScreen();
  const terminal = served.terminal({ isScreen: true, streams });
  const running = runLine(["top"], terminal);
  await streams.until(({ text }) => text.includes("● live"));
  const session = await served.api.createSession();
  const { taskId } = await served.api.delegate({ goal: "hang around", parentId: session.taskId });
  const id = taskId.slice(0, 13);
  await streams.until(({ text }) => new RegExp(`└─${id} +generating .*hang around`).test(text));
  streams.type(KEYS.down);
  await streams.until(({ text }) => text.includes(`▸ └─${id}`));
  streams.type("t");
  await streams.until(({ rows }) => rows.includes("working"));
  streams.type("t");
  await streams.until(({ rows }) => !rows.includes("working"));
  streams.type("s");
  await streams.until(({ text }) => text.includes(`steer ${id}: █`));
  streams.type("hurry");
  await streams.until(({ text }) => text.includes("hurry█"));
  streams.type(KEYS.enter);
  await streams.until(({ text }) => text.includes("queued"));
  streams.type(KEYS.up);
  streams.type("C");
  await streams.until(({ text }) => /Cancel ses_\w{8} and the 1 below it\? y\/n/.test(text));
  streams.type("y");
  await streams.until(({ text }) => new RegExp(`└─${id} +cancelled`).test(text));
  expect((await served.api.check(taskId)).state).toBe("cancelled");
  streams.type("r");
  await streams.until(({ text }) => /◆ recording (\d+)\/\1 /.test(text));
  streams.type("g");
  await streams.until(({ text }) => text.includes("before anything had happened"));
  streams.type("q");
  await streams.until(({ text }) => text.includes("● live"));
  streams.type("q");
  expect(await running).toBe(0);
  expect(streams.written).toContain("\u001b[?1049l");
  expect(streams.written).not.toContain("\u001b[36m");
  expect(streams.input.isRaw).toBe(false);
});

test("with an id only that tree; Ctrl-C leaves", async () => {
  const mine = await served.api.delegate({ goal: "mine" });
  await served.api.delegate({ goal: "of others" });
  const streams = new FakeScreen(120, 30);
  const running = runLine(["top", mine.taskId], served.terminal({ isScreen: true, streams }));
  await streams.until(({ text }) => text.includes("mine"));
  expect(streams.text).not.toContain("of others");
  streams.type(KEYS.ctrlC);
  expect(await running).toBe(0);
});

test("a server that goes away is told on the screen, and one that is not there ends it with 7", async () => {
  const gone = await serveScripted();
  const streams = new FakeScreen();
  const running = runLine(["top"], gone.terminal({ isScreen: true, streams }));
  await streams.until(({ text }) => text.includes("● live"));
  await gone.close();
  await streams.until(({ text }) => text.includes("✕ no answer"));
  streams.type("q");
  expect(await running).toBe(0);
  const again = new FakeScreen();
  const terminal = gone.terminal({ isScreen: true, streams: again });
  expect(await runLine(["top"], terminal)).toBe(7);
  expect(again.input.isRaw).toBe(false);
});

/** Told to Node by its options: writes a mark when a module of ink, or of Troupe's file for it, is loaded. */
const TELLS_INK = `--import=data:text/javascript,${encodeURIComponent(
  'import { registerHooks } from "node:module";' +
    "registerHooks({ load(url, context, next) {" +
    'if (/node_modules.(ink|react)|full-screen/.test(url)) process.stderr.write("LOADED INK");' +
    'if (/snapshots/.test(url)) process.stderr.write("LOADED SNAPSHOTS");' +
    "return next(url, context); } });",
)}`;

test("ink is not loaded where no screen is shown", async () => {
  const env = { ...served.env, PATH: process.env["PATH"] ?? "", NODE_OPTIONS: TELLS_INK };
  const running = start(["top", "--once"], env);
  expect(await running.ended).toBe(0);
  expect(running.err).toContain("LOADED SNAPSHOTS");
  expect(running.err).not.toContain("LOADED INK");
});
