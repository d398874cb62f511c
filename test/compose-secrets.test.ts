// What a model is given of the files around it, and what leaves of a key that its server echoes: a whole Troupe, with
// a model server over a real socket that says what a hostile one would.

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import { runtimeFetch } from "../src/base/fetch.ts";
import { systemRandom } from "../src/base/ids.ts";
import { serve, type Listening } from "../src/base/listen.ts";
import { compose, type Troupe, type World } from "../src/compose.ts";
import { configSchema } from "../src/core/config-schema.ts";
import { collectRecording } from "../src/cli/replay/collect.ts";
import type { EventFrame } from "../src/core/event.ts";

const KEY = "sk-live/Ab+9xyz0123456789Q";
const FORMS = [
  KEY,
  encodeURIComponent(KEY),
  Buffer.from(KEY).toString("hex"),
  Buffer.from(KEY).toString("base64"),
  KEY.replaceAll("/", "\\/"),
];

let base: string;
let server: Listening;
let troupe: Troupe;
/** The answers still to come, oldest first. */
let answers: Response[] = [];
const asked: string[] = [];
const log: string[] = [];

function streamed(...deltas: readonly object[]): Response {
  const chunk = (delta: object, reason: string | null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
  const body = [...deltas.map((delta) => chunk(delta, null)), chunk({}, "stop"), "data: [DONE]\n\n"];
  return new Response(body.join(""), { headers: { "content-type": "text/event-stream" } });
}

const calls = (...list: readonly (readonly [string, object])[]) =>
  streamed({
    tool_calls: list.map(([name, args], index) => ({
      index,
      id: `c${index}`,
      function: { name, arguments: JSON.stringify(args) },
    })),
  });

async function answer(request: Request): Promise<Response> {
  if (request.url.endsWith("/models")) return Response.json({ data: [{ id: "m" }] });
  asked.push(await request.text());
  return answers.shift() ?? streamed({ content: "done" });
}

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "troupe-secrets-"));
  const root = join(base, "home");
  await mkdir(join(root, ".config/troupe"), { recursive: true });
  await mkdir(join(base, "outside"));
  await writeFile(join(root, ".config/troupe/token"), "CANARY-token");
  await writeFile(join(root, ".env"), "CANARY-env");
  await writeFile(join(base, "outside/x.txt"), "CANARY-outside");
  await symlink(join(base, "outside"), join(root, "link"));
  server = await serve(answer, { hostname: "127.0.0.1", port: 0 });
  const world: World = {
    clock: systemClock,
    random: systemRandom,
    fetch: runtimeFetch(),
    env: { HOME: root, K: KEY },
    cwd: root,
    writeLog: (line) => log.push(line),
  };
  const config = configSchema.parse({
    model: "c/m",
    log: { level: "debug" },
    store: { durability: "none" },
    providers: { c: { type: "openai", base_url: `${server.url}/v1`, api_key: "env:K" } },
  });
  troupe = await compose({ world, config });
});

afterAll(async () => {
  await troupe.close();
  await server.close();
  await rm(base, { recursive: true });
});

beforeEach(() => {
  asked.length = 0;
});

/** Runs one task; everything that anybody could see of it, as one text. */
async function run(script: readonly Response[], workspace?: string) {
  answers = [...script];
  const stop = new AbortController();
  const frames: EventFrame[] = [];
  const watching = (async () => {
    for await (const frame of troupe.api.events({ after: 0, deltas: true, signal: stop.signal }))
      frames.push(frame);
  })();
  const { taskId } = await troupe.api.delegate({
    goal: "go",
    toolsets: ["file", "progress"],
    ...(workspace !== undefined && { workspace }),
  });
  const result = await troupe.api.collect(taskId, { timeoutMs: 10_000 });
  const transcript = await troupe.api.transcript(taskId);
  const view = await troupe.api.check(taskId);
  const isEnd = (frame: EventFrame): boolean =>
    frame.kind === "event" && frame.event.taskId === taskId && frame.event.type === `task.${result.state}`;
  while (!frames.some(isEnd)) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await watching;
  const recording = await collectRecording(troupe.api, { taskId, whole: true, now: 0 });
  return { result, seen: JSON.stringify([result, transcript, frames, view, recording, log]) };
}

describe("a child", () => {
  test("gets neither the server's token nor a .env, by no tool", async () => {
    const { result } = await run([
      calls(
        ["read_file", { path: ".config/troupe/token" }],
        ["read_file", { path: ".env" }],
        ["search_files", { text: "CANARY" }],
        ["search_files", { text: "CANARY", path: ".config/troupe" }],
      ),
    ]);
    expect(result.state).toBe("done");
    expect(asked.join("\n")).not.toMatch(/CANARY-/);
    expect(asked.at(-1)).toContain("belongs to Troupe itself");
    expect(asked.at(-1)).toContain("the rule");
  });

  test("gets nothing of a folder that a link makes a workspace", async () => {
    const calling = calls(["read_file", { path: "x.txt" }], ["search_files", { text: "CANARY" }]);
    await run([calling], join(base, "home/link"));
    expect(asked.join("\n")).not.toMatch(/CANARY-/);
    expect(asked.at(-1)).toContain("leads out of");
  });
});

describe("a key that the server says back", () => {
  // What was refused rests; a person who mended it says so.
  beforeEach(async () => {
    const { keys } = (await troupe.api.providers()).find(({ provider }) => provider === "c")!;
    await troupe.api.switchKey(keys[0]?.fingerprint as string, false);
  });

  const refusal = (said: string) => Response.json({ error: { message: said } }, { status: 401 });

  test.each(FORMS)("as %s in a refusal is nowhere", async (form) => {
    const { result, seen } = await run([refusal(`no such key: ${form}, sorry`)]);
    expect(result.state).toBe("failed");
    expect(result.failure?.message).toMatch(/no such key: \[(redacted|secret)\]/);
    for (const each of FORMS) expect(seen).not.toContain(JSON.stringify(each).slice(1, -1));
  });

  test("split over pieces of an answer is nowhere", async () => {
    const { result, seen } = await run([
      streamed({ content: `You sent ${KEY.slice(0, 8)}` }, { content: `${KEY.slice(8)}.` }),
    ]);
    expect(result.result).toBe("You sent [redacted].");
    expect(seen).not.toContain(KEY);
    expect(seen).not.toContain(KEY.slice(0, 8));
  });

  test("in the arguments of a call is nowhere, and the call is made without it", async () => {
    const { result, seen } = await run([
      calls(["report_progress", { note: `key ${KEY}`, partial: { [KEY]: [KEY] } }]),
    ]);
    expect(result.state).toBe("done");
    expect(seen).not.toContain(KEY);
    expect(seen).toContain("key [redacted]");
  });
});
