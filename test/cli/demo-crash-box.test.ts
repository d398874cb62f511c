// The box whose Troupe is a process with a store on disk: it says what it is, and leaves nothing behind.

import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startCrashBox } from "../../src/cli/demo-crash-box.ts";
import { newHome } from "./home.ts";
import { ScriptedTerminal, worldFor } from "./scripted-terminal.ts";

const world = () => worldFor(new ScriptedTerminal());

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("startCrashBox", { timeout: 60_000 }, () => {
  it("X1 keeps its tasks on disk, one generation at a time, and removes all of it at the end", async () => {
    const box = await startCrashBox(world(), 10);
    const { tokenFile } = await box.ownServer.life();
    const folder = dirname(tokenFile);
    expect(await readdir(folder)).toContain("troupe.db");
    expect(await box.api.status()).toMatchObject({ durability: "full", simulated: true });
    expect((await box.api.gpus()).flatMap(({ backends }) => backends)).toMatchObject([
      { provider: "simulated", slots: 1 },
    ]);
    expect(box).toMatchObject({ backend: "simulated", patienceMs: 5_000, followsSteers: true });
    expect(box.title).toMatch(/^SIMULATED/);
    await box.close();
    await expect(readdir(folder)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(box.api.status()).rejects.toMatchObject({ code: "demo_server_lost" });
  });

  it("X1 leaves nothing where the person does not wait for it", async () => {
    const { cwd } = await newHome();
    vi.stubEnv("TMPDIR", cwd);
    const stop = new AbortController();
    const starting = startCrashBox({ ...world(), signal: stop.signal }, 10);
    stop.abort(new Error("Interrupted."));
    await expect(starting).rejects.toThrow("Interrupted.");
    expect(await readdir(cwd)).toEqual([]);
  });
});
