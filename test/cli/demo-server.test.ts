// Real servers as processes of their own: started, killed, started again, lost.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { simulatedConfig } from "../../src/cli/demo-box.ts";
import { DemoServer, type DemoServerOptions } from "../../src/cli/demo-server.ts";
import { modelServer, type ModelServer } from "./demo-rig.ts";
import { newHome } from "./home.ts";
import { ScriptedTerminal } from "./scripted-terminal.ts";

const LIMIT_MS = 60_000;
const never = new AbortController().signal;

let models: ModelServer;
beforeAll(async () => {
  models = await modelServer();
});
afterAll(() => models.close());

async function serverFor(config: object, rest: Partial<DemoServerOptions> = {}): Promise<DemoServer> {
  const { home } = await newHome();
  await mkdir(home, { mode: 0o700 });
  const configFile = join(home, "demo.yaml");
  await writeFile(configFile, JSON.stringify(config), { mode: 0o600 });
  const terminal = new ScriptedTerminal();
  return new DemoServer({ home, configFile, terminal, clock: systemClock, ...rest });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("DemoServer", { timeout: LIMIT_MS }, () => {
  it("P2 serves again after a kill, on the same port, and whoever waited has the next one", async () => {
    const server = await serverFor(simulatedConfig(models.url));
    const first = await server.start(never);
    expect(await server.life()).toBe(first);
    expect(server.awaySince).toBeNull();
    await server.kill();
    expect(isAlive(first.pid)).toBe(false);
    expect(server.awaySince).not.toBeNull();
    const waiting = server.life();
    const second = await server.start(never);
    expect(await waiting).toBe(second);
    expect(second).toMatchObject({ url: first.url, tokenFile: first.tokenFile });
    expect(second.pid).not.toBe(first.pid);
    await server.close();
    expect(isAlive(second.pid)).toBe(false);
    await expect(server.life()).rejects.toMatchObject({ code: "demo_server_lost" });
    await server.close();
  });

  it("P3 tells of a server that does not start, with its last lines", async () => {
    const server = await serverFor({ nonsense: true });
    const failure = await server.start(never).catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: "config", code: "demo_server_lost" });
    expect(String(failure)).toMatch(/got its end with 3\. Its last lines: .*nonsense/);
    await expect(server.life()).rejects.toBe(failure);
    await server.close();
  });

  it("P3 tells of a server that takes too long, and leaves no process of it", async () => {
    const server = await serverFor(simulatedConfig(models.url), { readyMs: 1 });
    await expect(server.start(never)).rejects.toThrow(/got nothing within \d+ ms\. It wrote nothing\./);
    await server.close();
  });

  it("P3 tells whoever waits of a server that ends by itself", async () => {
    const server = await serverFor(simulatedConfig(models.url));
    const { pid } = await server.start(never);
    process.kill(pid, "SIGKILL");
    while (server.awaySince === null) await new Promise((resolve) => setImmediate(resolve));
    await expect(server.life()).rejects.toThrow("got its end with SIGKILL");
    await server.close();
  });

  it("P1 ends a start with the signal, and starts nothing once it was closed", async () => {
    const server = await serverFor(simulatedConfig(models.url));
    const stop = new AbortController();
    const starting = server.start(stop.signal);
    stop.abort(new Error("Interrupted."));
    await expect(starting).rejects.toThrow("Interrupted.");
    await server.close();
    await expect(server.start(never)).rejects.toMatchObject({ code: "demo_server_lost" });
  });
});
