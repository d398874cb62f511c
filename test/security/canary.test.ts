// T60 and T61: keys of a provider and of a callback, and the server's own token, while a hostile model server writes its
// key into everything that it says, in every form. A whole server with its files; every place where text leaves is read.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve, type Listening } from "../../src/base/listen.ts";
import { runLine, ScriptedTerminal } from "../cli/scripted-terminal.ts";
import { formsIn, formsOf } from "./canary-forms.ts";

const KEY = "sk-canary/Ab+9xyz0123456789Q";
const HOOK_KEY = "hook-canary/Zz+1abc9876543210W";

let folder: string;
let hostile: Listening;
let server: ScriptedTerminal;
let serving: Promise<number>;
let env: Record<string, string>;
let token: string;
let url: string;
/** What the hostile server sent, which is what a naive system would have passed on. */
const sent: string[] = [];
const answers: (() => Response)[] = [];
/** Everything that left, by where it left. */
const sinks = new Map<string, string>();

const everyForm = (): string => Object.values(formsOf(KEY)).join(" , ");
const chunk = (delta: object, reason: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;

function said(body: string, init: ResponseInit): Response {
  sent.push(body);
  return new Response(body, init);
}

function streamed(deltas: readonly object[]): Response {
  const body = [...deltas.map((delta) => chunk(delta)), chunk({}, "stop"), "data: [DONE]\n\n"].join("");
  return said(body, { headers: { "content-type": "text/event-stream" } });
}

const refused = (status: number, message: string): Response =>
  said(JSON.stringify({ error: { message, code: message.slice(0, 60) } }), {
    status,
    headers: { "content-type": "application/json" },
  });

const SCRIPT: readonly (readonly [string, () => Response])[] = [
  ["says it letter by letter", () => streamed(Array.from(everyForm(), (content) => ({ content })))],
  ["thinks it", () => streamed([{ reasoning_content: everyForm() }, { content: "done" }])],
  [
    "calls a tool with it",
    () =>
      streamed([
        {
          tool_calls: [
            {
              index: 0,
              id: "c0",
              function: {
                name: "report_progress",
                arguments: JSON.stringify({ percent: 1, note: everyForm() }),
              },
            },
          ],
        },
      ]),
  ],
  [
    "reads the server's token in a file where somebody left it",
    () =>
      streamed([
        {
          tool_calls: [
            { index: 0, id: "c1", function: { name: "read_file", arguments: '{"path":"left.txt"}' } },
          ],
        },
      ]),
  ],
  [
    "T61 is refused with it in an address",
    () => refused(400, `GET https://x.test/v1?api_key=${KEY}&x=${everyForm()}`),
  ],
  ["is refused as unknown", () => refused(401, `no such key: ${everyForm()}`)],
];

async function line(args: readonly string[]): Promise<string> {
  const terminal = new ScriptedTerminal({
    env: { ...env, TROUPE_URL: url, TROUPE_TOKEN: token },
    cwd: folder,
  });
  await runLine(args, terminal);
  return terminal.out + terminal.err;
}

async function ask(path: string, init: RequestInit = {}): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return (await fetch(url + path, { ...init, headers })).text();
}

/** Reads both streams from the beginning until the last task has ended. */
function watched(): { readonly over: (taskId: string) => Promise<void> } {
  const stop = new AbortController();
  let sse = "";
  const reading = (async () => {
    const response = await fetch(`${url}/v1/events?after=0&deltas=1`, {
      headers: { authorization: `Bearer ${token}` },
      signal: stop.signal,
    });
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>)
      sse += Buffer.from(part).toString();
  })().catch(() => {});
  let frames = "";
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/events`);
  socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "hello", token, after: 0 })));
  socket.addEventListener("message", ({ data }) => (frames += String(data)));
  const hasEnd = (text: string, taskId: string): boolean =>
    text.split("\n").some((each) => each.includes(taskId) && each.includes("task.failed"));
  return {
    over: async (taskId) => {
      while (!hasEnd(sse, taskId) || !frames.includes("task.failed"))
        await new Promise((go) => setTimeout(go, 5));
      stop.abort();
      socket.close();
      await reading;
      sinks.set("server-sent events", sse);
      sinks.set("WebSocket", frames);
    },
  };
}

async function start(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), "troupe-canary-"));
  hostile = await serve(
    (request) => {
      if (request.url.endsWith("/models")) return Response.json({ data: [{ id: "m" }] });
      if (request.url.endsWith("/hook")) return said(`no: ${HOOK_KEY}`, { status: 400 });
      return answers.shift()?.() ?? streamed([{ content: "done" }]);
    },
    { hostname: "127.0.0.1", port: 0 },
  );
  writeFileSync(
    join(folder, "config.yaml"),
    JSON.stringify({
      model: "c/m",
      log: { level: "debug" },
      server: { port: 0 },
      delegation: { default_toolsets: [] },
      providers: { c: { type: "openai", base_url: `${hostile.url}/v1`, api_key: "env:CANARY_KEY" } },
      callbacks: { hook: { url: `${hostile.url}/hook`, token: "env:CANARY_HOOK" } },
    }),
    { mode: 0o600 },
  );
  env = {
    TROUPE_HOME: join(folder, "home"),
    NO_COLOR: "1",
    PATH: "/nowhere",
    CANARY_KEY: KEY,
    CANARY_HOOK: HOOK_KEY,
    OLLAMA_HOST: "http://127.0.0.1:9",
  };
  server = new ScriptedTerminal({ env, cwd: folder });
  serving = runLine(["serve"], server);
  await server.until(({ err }) => err.includes("curl"));
  url = /serves at (\S+);/.exec(server.err)?.[1] ?? "";
  token = readFileSync(join(folder, "home", "token"), "utf8").trim();
}

/** Every answer of the hostile server to a task of its own. */
async function play(): Promise<void> {
  writeFileSync(join(folder, "left.txt"), `it is ${token}, they say`);
  const watch = watched();
  let last = "";
  for (const [goal, reply] of SCRIPT) {
    answers.push(reply);
    const body = JSON.stringify({ goal, toolsets: ["progress", "file"], retry_limit: 0 });
    const { task_id: id } = JSON.parse(await ask("/v1/tasks", { method: "POST", body })) as {
      task_id: string;
    };
    const result = await ask(`/v1/tasks/${id}/result`, { headers: { prefer: "wait=30" } });
    while (!/"finished":true/.test(await ask(`/v1/tasks/${id}/result`)))
      await new Promise((go) => setTimeout(go, 5));
    const seen = await Promise.all(
      ["", "/result", "/transcript"].map((path) => ask(`/v1/tasks/${id}${path}`)),
    );
    sinks.set(`HTTP: ${goal}`, [result, ...seen].join("\n"));
    sinks.set(`CLI: ${goal}`, await line(["tasks", "get", id]));
    sinks.set(
      `export: ${goal}`,
      await line(["export", "--tree", id, "--output", join(folder, `${id}.json`)]),
    );
    last = id;
  }
  await watch.over(last);
}

/** All that a person can ask for, and every file that is left in the end. */
async function look(): Promise<void> {
  const paths = [
    "/v1/tasks",
    "/v1/tree",
    "/v1/providers",
    "/v1/status",
    "/v1/history",
    "/v1/gpus",
    "/openapi.json",
  ];
  for (const path of paths) sinks.set(`HTTP ${path}`, await ask(path));
  sinks.set("HTTP errors", `${await ask("/v1/tasks/none")}${await ask(`/v1/tasks?cursor=${"x".repeat(9)}`)}`);
  sinks.set("HTTP without a token", await (await fetch(`${url}/v1/tasks`)).text());
  for (const args of [
    ["keys"],
    ["tree"],
    ["tasks", "ls"],
    ["doctor"],
    ["audit", "ls"],
    ["gpus"],
    ["tokens"],
  ]) {
    sinks.set(`CLI ${args.join(" ")}`, await line(args));
  }
  sinks.set("backup", await line(["backup", join(folder, "copy.db")]));
  server.pressCtrlC();
  await serving;
  sinks.set("log and screen of the server", server.out + server.err);
  for (const at of [folder, join(folder, "home")]) {
    for (const name of readdirSync(at, { withFileTypes: true })) {
      // Those that are to hold the token.
      if (!name.isFile() || name.name === "token" || name.name === "left.txt") continue;
      sinks.set(`file ${name.name}`, readFileSync(join(at, name.name)).toString("latin1"));
    }
  }
}

beforeAll(async () => {
  await start();
  await play();
  await look();
}, 120_000);

afterAll(async () => {
  await hostile.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("T60 canaries", () => {
  it("(control) were sent in every form, and are found where nobody takes them out", () => {
    const naive = sent.join("\n").replaceAll(String.raw`\\/`, String.raw`\/`);
    const found = formsIn(naive, { key: KEY });
    expect(found).toEqual(Object.keys(formsOf(KEY)).map((form) => `key: ${form}`));
    expect(formsIn(sent.join("\n"), { hook: HOOK_KEY })).toContain("hook: plain");
  });

  it("leave by no way, in no form", () => {
    expect(sinks.size).toBeGreaterThanOrEqual(30);
    expect([...sinks.keys()]).toEqual(
      expect.arrayContaining([
        "file troupe.db",
        "file troupe.db.audit",
        "file copy.db",
        "WebSocket",
        "CLI keys",
      ]),
    );
    const secrets = { key: KEY, hook: HOOK_KEY, token };
    const hits = [...sinks].flatMap(([sink, text]) =>
      formsIn(text, secrets).map((form) => `${sink}: ${form}`),
    );
    expect(hits).toEqual([]);
  });

  it("were taken out of what was passed on, and the rest of it was not", () => {
    const spoken = sinks.get("HTTP: says it letter by letter") ?? "";
    expect(spoken).toContain("[redacted] , [redacted]");
    expect(sinks.get("HTTP: T61 is refused with it in an address")).toContain(
      "https://x.test/v1?api_key=[redacted]&x=",
    );
    expect(sinks.get("HTTP: is refused as unknown")).toContain("no such key: [redacted]");
    const read = sinks.get("HTTP: reads the server's token in a file where somebody left it");
    expect(read).toContain("it is [redacted], they say");
    expect(sinks.get("server-sent events")).toContain("[redacted]");
    expect(sinks.get("WebSocket")).toContain("task.failed");
  });
});
