// The real server as a process of its own: started on a home, watched until it answers, ended in every way.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/base/clock.ts";
import { HttpClient } from "../../src/http/client.ts";
import { loadToken } from "../../src/http/token.ts";
import { MODEL } from "./model-server.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** A start, or a stop, that takes longer has failed. */
export const START_MS = 30_000;

export type StoredAs = "full" | "normal";

/** The folders of one server, which outlive its processes. */
export interface Home {
  readonly folder: string;
  readonly cwd: string;
  /** Where the config, the token and the database lie. */
  readonly home: string;
  readonly database: string;
  /** Everything that its processes wrote, life by life. */
  readonly log: string;
  remove(): Promise<void>;
}

export interface HomeOptions {
  readonly modelUrl: string;
  readonly durability: StoredAs;
  /** Where the database is; in the home when absent. */
  readonly database?: string;
  /** How long the model server may be silent; the config's default when absent. */
  readonly silenceS?: number;
}

/** A home with a config that knows the model server alone. */
export async function makeHome({ modelUrl, durability, ...rest }: HomeOptions): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-crash-"));
  const [cwd, home] = [join(folder, "work"), join(folder, "home")];
  await mkdir(cwd);
  await mkdir(home, { mode: 0o700 });
  const database = rest.database ?? join(home, "troupe.db");
  const silence = rest.silenceS;
  const patience = silence ? `, first_byte_timeout_s: ${silence}, idle_timeout_s: ${silence}` : "";
  const config = [
    `model: rules/${MODEL}`,
    `providers: {rules: {type: ollama, base_url: "${modelUrl}", slots: 4, max_children: 4${patience}}}`,
    "delegation: {max_spawn_depth: 3, max_concurrent_children: 3, default_toolsets: [file]}",
    "server: {shutdown_grace_s: 1}",
    `store: {durability: ${durability}, path: "${database}"}`,
    "",
  ];
  await writeFile(join(cwd, "config.yaml"), config.join("\n"), { mode: 0o600 });
  return {
    folder,
    cwd,
    home,
    database,
    log: join(folder, "server.log"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface ServerOptions {
  readonly home: Home;
  /** Named in the log. */
  readonly life: number;
  /** 0 takes any. */
  readonly port: number;
  /** A module that is loaded before the server, and answers each message with one of its own. */
  readonly probe?: string;
  readonly compileCache?: string;
}

/** Servers that live: they end with the process that started them. */
const LIVING = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of LIVING) child.kill("SIGKILL");
});

/** One process. Contract: `ready` rejects when it ends first; signals to one that has ended do nothing. */
export class ServerProcess {
  readonly ready: Promise<string>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  #output = "";
  #isOver = false;

  constructor({ home, life, port, probe, compileCache }: ServerOptions) {
    const env = {
      TROUPE_HOME: home.home,
      PATH: "/nowhere",
      NO_COLOR: "1",
      ...(compileCache !== undefined && { NODE_COMPILE_CACHE: compileCache }),
    };
    appendFileSync(home.log, `--- life ${life}\n`);
    const preload = probe === undefined ? [] : ["--expose-gc", "--import", probe];
    const args = [...preload, MAIN, "serve", "--port", String(port)];
    this.#child = spawn(process.execPath, args, {
      env,
      cwd: home.cwd,
      stdio: ["ignore", "pipe", "pipe", ...(probe === undefined ? [] : ["ipc" as const])],
    });
    LIVING.add(this.#child);
    this.ended = once(this.#child, "close").then(([code, signal]) => {
      LIVING.delete(this.#child);
      this.#isOver = true;
      return (code ?? signal) as number | string;
    });
    const serves = Promise.withResolvers<string>();
    const hear = (chunk: Buffer): void => {
      const text = chunk.toString();
      appendFileSync(home.log, text);
      this.#output += text;
      const url = /serves at (\S+);/.exec(this.#output)?.[1];
      if (url !== undefined) serves.resolve(url);
    };
    this.#child.stdout?.on("data", hear);
    this.#child.stderr?.on("data", hear);
    void this.ended.then((how) =>
      serves.reject(new Error(`the server ended with ${how}: ${this.#output.trim().slice(-400)}`)),
    );
    this.ready = serves.promise;
    // Whoever kills it while it starts does not ask.
    this.ready.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its client, once it answers. Contract: rejects when it ends first, or does not answer in time. */
  async client(home: Home): Promise<HttpClient> {
    const late = pause(START_MS).then(() => Promise.reject(new Error("the server does not answer")));
    const baseUrl = await Promise.race([this.ready, late]);
    const token = (await loadToken({ path: join(home.home, "token") })) ?? "";
    return new HttpClient({ baseUrl, token, fetch, clock: systemClock });
  }

  get output(): string {
    return this.#output;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What its probe answers. Contract: rejects when the process ends first. */
  async probe(): Promise<unknown> {
    const answer = once(this.#child, "message").then(([message]) => message as unknown);
    this.#child.send("sample");
    return Promise.race([
      answer,
      this.ended.then((how) => Promise.reject(new Error(`it ended with ${how}`))),
    ]);
  }

  signal(name: "SIGKILL" | "SIGTERM"): void {
    if (!this.#isOver) this.#child.kill(name);
  }

  /** Contract: resolves once the process is no more. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }
}

/** A pause that keeps no process alive. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
