// The box of `demo --crash`: the simulated model server lives in this process and survives, Troupe is a process of its own
// with a store on disk, and everything is asked over HTTP.
//
// X1. What it makes, a folder and a process, is gone at `close`, and at the exit of this process too.

import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import system from "node:process";
import { configSchema } from "../core/config-schema.ts";
import { HttpClient } from "../http/client.ts";
import { loadToken } from "../http/token.ts";
import { SIMULATED_LABEL, SIMULATED_MODELS, simulatedConfig, startModels, type DemoBox } from "./demo-box.ts";
import { lastingFetch } from "./demo-lasting-fetch.ts";
import { DemoServer } from "./demo-server.ts";
import { jsonLine } from "./printable.ts";
import type { CliWorld } from "./world.ts";

export interface CrashBox extends DemoBox {
  readonly ownServer: DemoServer;
}

/** Contract: throws ConfigError `demo_server_lost`, and the reason of the world's signal. The caller closes it. */
export async function startCrashBox(world: CliWorld, speed: number): Promise<CrashBox> {
  const { clock, terminal, signal } = world;
  const folder = await mkdtemp(join(tmpdir(), "troupe-demo-"));
  const configFile = join(folder, "config.yaml");
  // At an exit the server goes first, and its folder after it.
  const server = new DemoServer({ home: folder, configFile, terminal, clock });
  const atExit = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  system.once("exit", atExit);
  const models = await startModels(world, speed);
  const close = async (): Promise<void> => {
    await server.close();
    await models.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    system.off("exit", atExit);
  };
  try {
    const config = { ...simulatedConfig(models.url), store: { durability: "full" } };
    // Whatever is JSON is YAML too.
    await writeFile(configFile, `${jsonLine(config)}\n`, { mode: 0o600 });
    const patienceMs = configSchema.parse(config).scheduler.interactive_patience_s * 1000;
    const { url, tokenFile } = await server.start(signal);
    const token = (await loadToken({ path: tokenFile, posix: terminal.platform !== "win32" })) ?? "";
    const fetch = lastingFetch({
      fetch: (address, init) => world.fetch(address, init),
      clock,
      serving: () => server.life(),
    });
    const api = new HttpClient({ baseUrl: url, token, fetch, clock });
    return {
      api,
      // No scripted parent plays here: the simulated one delegates by itself.
      asParent: () => api,
      models: SIMULATED_MODELS,
      patienceMs,
      title: "SIMULATED GPU box, one slot; Troupe is a process that gets kill -9",
      ...SIMULATED_LABEL,
      ownServer: server,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
