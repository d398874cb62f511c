// A real Ollama for a test: an own process on a free loopback port, with its own folder of models, and two tiny ones
// made for it. It needs the program (OLLAMA_BIN, or `ollama` on PATH or in Go's folder) and downloads nothing.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTinyModels } from "./tiny-models.ts";

const START_LIMIT_MS = 30_000;

export interface RealOllama {
  readonly baseUrl: string;
  /** Ends the server and its runners at once, in the middle of whatever they do. Its models stay. */
  kill(): Promise<void>;
  /** Starts it again at the same address, with its models. */
  restart(): Promise<void>;
  /** Ends the server, by its process id, and removes its models. */
  stop(): Promise<void>;
}

/** Where the program is: OLLAMA_BIN, else the first `ollama` on PATH, else where `go install` puts it, else nowhere. */
export async function findOllama(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string | null> {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const go = env["HOME"] ? [join(env["HOME"], "go", "bin")] : [];
  const places = env["OLLAMA_BIN"]
    ? [env["OLLAMA_BIN"]]
    : [...folders, ...go].map((folder) => join(folder, "ollama"));
  for (const place of places) {
    if (
      await access(place, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return place;
  }
  return null;
}

/**
 * Starts a server and makes its two models; `onLog` hears each line that it logs.
 * Contract: throws when it does not answer within 30 s or a model cannot be made, and then leaves nothing running.
 */
export async function startOllama(
  program: string,
  settings: Readonly<Record<string, string>> = {},
  onLog?: (line: string) => void,
): Promise<RealOllama> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-ollama-"));
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const env = {
    ...process.env,
    HOME: folder,
    OLLAMA_MODELS: join(folder, "models"),
    OLLAMA_HOST: baseUrl,
    ...settings,
  };
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const child = spawn(program, ["serve"], { env, stdio: ["ignore", "ignore", onLog ? "pipe" : "ignore"] });
    if (onLog && child.stderr) createInterface({ input: child.stderr }).on("line", onLog);
    server = child;
    await answers(baseUrl, child);
  };
  const stop = async (): Promise<void> => {
    if (server) await end(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
    await createTinyModels(baseUrl);
    const kill = async (): Promise<void> => void (server && (await killWithRunners(server)));
    return { baseUrl, kill, restart: start, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

async function answers(baseUrl: string, server: ChildProcess): Promise<void> {
  let failed: Error | undefined;
  server.once("error", (error) => (failed = error));
  for (const end = Date.now() + START_LIMIT_MS; Date.now() < end; await sleep(50)) {
    if (failed) throw failed;
    if (server.exitCode !== null) throw new Error(`ollama serve ended with code ${server.exitCode}.`);
    const ok = await fetch(`${baseUrl}/api/version`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
  }
  throw new Error(`ollama serve did not answer at ${baseUrl} within ${START_LIMIT_MS} ms.`);
}

const hasEnded = (server: ChildProcess): boolean => server.exitCode !== null || server.signalCode !== null;

async function end(server: ChildProcess): Promise<void> {
  if (hasEnded(server) || server.pid === undefined) return;
  const closed = once(server, "close");
  server.kill("SIGTERM");
  const gone = await Promise.race([closed.then(() => true), sleep(5000, false, { ref: false })]);
  if (!gone) await killWithRunners(server);
  await closed;
}

/** A runner outlives a server that is killed, and would keep its memory for ever. */
async function killWithRunners(server: ChildProcess): Promise<void> {
  if (hasEnded(server) || server.pid === undefined) return;
  const closed = once(server, "close");
  const runners = await childrenOf(server.pid);
  server.kill("SIGKILL");
  for (const pid of runners) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself meanwhile.
    }
  }
  await closed;
}

/** Linux's list of the processes that a process has started; none elsewhere. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = threads.map((thread) =>
    readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => ""),
  );
  return (await Promise.all(lists)).flatMap((list) => list.split(" ").filter(Boolean).map(Number));
}
