// A real Ollama for a test: an own process on a free loopback port, with its own folder of models, and two tiny ones
// made for it. It needs the program (OLLAMA_BIN, or `ollama` on PATH) and downloads nothing.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeGguf } from "./make-gguf.ts";

/** Ollama reads from the template that a model can be given tools. */
const TOOLS_TEMPLATE = `{{- if .Tools }}{{ range .Tools }}{{ .Function.Name }} {{ end }}
{{ end }}{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "parameters": {{ .Function.Arguments }}}{{ end }}<|im_end|>
{{ end }}<|im_start|>assistant
`;

const PLAIN_TEMPLATE = "{{ .Prompt }}";

/** Can be given tools, and ends by itself. */
export const TOOLS_MODEL = "troupe-tiny-tools";
/** Has no tools, and writes until it is cut or aborted. */
export const PLAIN_MODEL = "troupe-tiny-plain";

const START_LIMIT_MS = 30_000;

export interface RealOllama {
  readonly baseUrl: string;
  /** Ends the server, by its process id, and removes its models. */
  stop(): Promise<void>;
}

/** Where the program is: OLLAMA_BIN, else the first `ollama` on PATH, else nowhere. */
export async function findOllama(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string | null> {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const places = env["OLLAMA_BIN"] ? [env["OLLAMA_BIN"]] : folders.map((folder) => join(folder, "ollama"));
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
 * Starts a server and makes its two models.
 * Contract: throws when it does not answer within 30 s or a model cannot be made, and then leaves nothing running.
 */
export async function startOllama(
  program: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RealOllama> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-ollama-"));
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const env = { ...process.env, HOME: folder, OLLAMA_MODELS: join(folder, "models"), OLLAMA_HOST: baseUrl };
  const server = spawn(program, ["serve"], { env: { ...env, ...settings }, stdio: "ignore" });
  const stop = async (): Promise<void> => {
    await end(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await answers(baseUrl, server);
    await writeFile(join(folder, `${TOOLS_MODEL}.gguf`), makeGguf(1, { ends: true }));
    await writeFile(join(folder, `${PLAIN_MODEL}.gguf`), makeGguf(2, { ends: false }));
    await create({ program, folder, env, name: TOOLS_MODEL, template: TOOLS_TEMPLATE });
    await create({ program, folder, env, name: PLAIN_MODEL, template: PLAIN_TEMPLATE });
    return { baseUrl, stop };
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

interface Creation {
  readonly program: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly name: string;
  readonly template: string;
}

async function create({ program, folder, env, name, template }: Creation): Promise<void> {
  const file = join(folder, `${name}.modelfile`);
  // One thread: on a busy machine more of them only spin while they wait for each other.
  await writeFile(file, `FROM ./${name}.gguf\nPARAMETER num_thread 1\nTEMPLATE """${template}"""\n`);
  const made = spawn(program, ["create", name, "-f", file], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  made.stderr.setEncoding("utf8").on("data", (piece: string) => (said += piece));
  const [code] = (await once(made, "close")) as [number | null];
  if (code !== 0) throw new Error(`ollama create ${name} ended with code ${code}: ${said.slice(-500)}`);
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const closed = once(server, "close");
  server.kill("SIGTERM");
  const gone = await Promise.race([closed.then(() => true), sleep(5000, false, { ref: false })]);
  if (!gone) server.kill("SIGKILL");
  await closed;
}
