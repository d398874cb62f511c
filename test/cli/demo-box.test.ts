// The boxes that the demo runs on: what they say of themselves, and that they leave nothing behind.

import { describe, expect, it } from "vitest";
import { startDemoBox } from "../../src/cli/demo-box.ts";
import { modelServer } from "./demo-rig.ts";
import { ScriptedTerminal, worldFor } from "./scripted-terminal.ts";

const world = worldFor(new ScriptedTerminal());
const ollama = (url: string, model: string, parentModel: string | null = null) =>
  startDemoBox({ backend: { kind: "ollama", model, parentModel, url }, world, speed: 1 });

describe("startDemoBox", () => {
  it("starts a simulated box with one slot, labelled as such, over the files of this package", async () => {
    const box = await startDemoBox({ backend: { kind: "simulated", crash: false }, world, speed: 10 });
    try {
      expect(box.title).toMatch(/^SIMULATED/);
      expect(box).toMatchObject({ backend: "simulated", parent: "simulated", followsSteers: true });
      const { settings } = box.troupe;
      expect(settings.backends).toMatchObject([{ provider: "simulated", slots: 1 }]);
      expect(settings.workspaceRoot).toBe(new URL("../../", import.meta.url).pathname.replace(/\/$/, ""));
    } finally {
      await box.close();
    }
  });

  it("frees its port when it is closed", async () => {
    const box = await startDemoBox({ backend: { kind: "simulated", crash: false }, world, speed: 10 });
    const [server] = await box.troupe.api.providers();
    await box.close();
    await expect(world.fetch(`${server?.baseUrl}/api/version`)).rejects.toThrow("fetch failed");
  });

  it("says of a model server that simulates that it does, and bounds what a scripted parent's children write", async () => {
    const server = await modelServer();
    const box = await ollama(server.url, "sim-worker");
    try {
      expect(box).toMatchObject({ server: "SIMULATED server", backend: "simulated", parent: "scripted" });
      expect(box.title).toContain("scripted parent");
      expect(box.troupe.settings.agents).toMatchObject([{ limits: { maxOutputTokens: 300, retryLimit: 3 } }]);
    } finally {
      await box.close();
      await server.close();
    }
  });

  it("refuses a model that is not there, and says what to type", async () => {
    const server = await modelServer();
    try {
      await expect(ollama(server.url, "sim-worker", "nobody")).rejects.toThrow("ollama pull nobody");
    } finally {
      await server.close();
    }
  });
});
