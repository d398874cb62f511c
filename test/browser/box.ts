// A real server over the simulated GPU box, as `troupe serve --simulate` starts it, in a home of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../architecture/tree.ts";

export interface Box {
  readonly url: string;
  readonly token: string;
  readonly home: string;
  /** What it printed so far. */
  readonly log: () => string;
  /** A call of the API, past the browser. Throws where it is refused. */
  readonly call: <T>(method: "GET" | "POST", path: string, body?: unknown) => Promise<T>;
  /** Cancels what is still going on, so that the next case finds the GPUs free. */
  readonly calm: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Ends it without a word, as `kill -9` does. */
  readonly kill: () => Promise<void>;
}

const CONFIG =
  "server: {port: 0}\nworkspace: .\ndelegation: {max_spawn_depth: 2, max_concurrent_children: 8}\n";

export interface BoxOptions {
  /** The same one again: a server that comes back. */
  readonly port?: number;
  /** Of the one before: the same token. */
  readonly home?: string;
}

/** Contract: resolves once it serves; throws with what it printed when it ends first. */
export async function startBox({ port = 0, home: old }: BoxOptions = {}): Promise<Box> {
  const home = old ?? mkdtempSync(join(tmpdir(), "troupe-browser-"));
  writeFileSync(join(home, "config.yaml"), CONFIG.replace("workspace: .", `workspace: ${ROOT}`));
  const program = troupe(["serve", "--simulate", "--json", "--port", String(port)], { TROUPE_HOME: home });
  const { url, token_file: tokenFile } = await program.says<{ url: string; token_file: string }>();
  const token = readFileSync(tokenFile, "utf8").trim();
  const { log, end } = program;
  const ask: Box["call"] = (method, path, body) => call({ url, token, method, path, body });
  return {
    url,
    token,
    home,
    log,
    call: ask,
    calm: () => cancelAll(ask),
    kill: end,
    stop: async () => {
      await end();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export interface Recording {
  readonly url: string;
  readonly token: string;
  readonly stop: () => Promise<void>;
}

/** A tree in a file, as `troupe export` writes it, and the server that `troupe replay` puts over it. */
export async function startRecording(box: Box, rootId: string): Promise<Recording> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-recording-"));
  const file = join(folder, "tree.json");
  const env = { TROUPE_HOME: folder, TROUPE_URL: box.url, TROUPE_TOKEN: box.token };
  await troupe(["export", "--tree", rootId, "-o", file, "--json"], env).says();
  const program = troupe(["replay", file, "--json"], { TROUPE_HOME: folder });
  const { url, token } = await program.says<{ url: string; token: string }>();
  const stop = async (): Promise<void> => {
    await program.end();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, token, stop };
}

interface Program {
  /** The first line of JSON that it prints. Rejects with what it said when it ends without one. */
  readonly says: <T>() => Promise<T>;
  readonly log: () => string;
  readonly end: () => Promise<void>;
}

/** The command line in a process of its own. */
function troupe(words: readonly string[], env: Readonly<Record<string, string>>): Program {
  const child = spawn(process.execPath, ["src/cli/main.ts", ...words], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  return {
    says: () => announced(child, () => log),
    log: () => log,
    end: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    },
  };
}

function announced<T>(child: ChildProcess, log: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    let out = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (out.includes("\n")) resolve(JSON.parse(out.slice(0, out.indexOf("\n"))));
    });
    child.on("exit", (code) => reject(new Error(`it ended with ${code}: ${log()}`)));
    child.on("error", reject);
  });
}

async function cancelAll(ask: Box["call"]): Promise<void> {
  const { items } = await ask<{ items: readonly { task_id: string; finished_at: number | null }[] }>(
    "GET",
    "/v1/tree",
  );
  for (const { task_id: id, finished_at: end } of items) {
    if (end === null) await ask("POST", `/v1/tasks/${id}/cancel`, {});
  }
}

interface CallOptions {
  readonly url: string;
  readonly token: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

async function call<T>({ url, token, method, path, body }: CallOptions): Promise<T> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}
