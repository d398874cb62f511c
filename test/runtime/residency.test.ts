// The models of a whole box: which backend each is on, who uses what, and what the scheduler is told of the memory.

import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/log.ts";
import { Residency } from "../../src/runtime/residency.ts";
import type { BackendCaps, ResidencyReport } from "../../src/scheduler/scheduler.ts";
import { FakeOllama } from "./fake-ollama.ts";
import { testSettings } from "./rig.ts";

const LOCAL = { provider: "gpu", model: "a", backend: "gpu" };
const CLOUD = { provider: "cloud", model: "big", backend: "cloud" };
const NOBODY = { slots: 0, places: 0, leases: 0, waiting: 0 };

function stage() {
  const clock = new SimulatedClock();
  const server = new FakeOllama({ clock, models: ["a", "b"] });
  const reports: ResidencyReport[] = [];
  const caps: BackendCaps[] = [];
  const backend = { gpu: null, slots: 1, maxChildren: 4, local: true };
  const [template] = testSettings().models;
  const model = (ref: typeof LOCAL) => ({
    ...(template as NonNullable<typeof template>),
    ref,
    contextTokens: 512,
  });
  const settings = testSettings({
    backends: [
      { ...backend, name: "gpu", provider: "gpu", residency: { vramBytes: 10_000 } },
      { ...backend, name: "cloud", provider: "cloud" },
    ],
    models: [model(LOCAL), model({ ...LOCAL, model: "b" }), model(CLOUD)],
  });
  const residency = new Residency({
    settings,
    clock,
    logger: silentLogger,
    scheduler: {
      setResidency: (report) => void reports.push(report),
      setAway: () => {},
      setBackend: (each) => void caps.push(each),
      counts: () => NOBODY,
    },
    providerOf: () => server.provider,
  });
  return { clock, server, residency, reports, caps };
}

async function loaded() {
  const all = stage();
  all.residency.command({ type: "load", backend: "gpu", profile: "a:latest@512" });
  await all.clock.advance(3_000);
  return all;
}

describe("a profile", () => {
  test("is a model's where models are loaded at our command, and none elsewhere", () => {
    const { residency } = stage();
    expect(residency.profileOf(LOCAL)).toMatchObject({ backend: "gpu", model: "a:latest" });
    expect(residency.profileOf(CLOUD)).toBeNull();
    expect(residency.profileOf({ ...LOCAL, model: "gone" })).toBeNull();
  });

  test("has the size that the server showed, and before that the one on its disk", async () => {
    const { residency, clock } = stage();
    const profile = residency.profileOf(LOCAL);
    expect(residency.sizeOf(profile)).toBeNull();
    void residency.start();
    await clock.advance(100);
    expect(residency.sizeOf(profile)).toBe(1_000);
    residency.command({ type: "load", backend: "gpu", profile: "a:latest@512" });
    await clock.advance(3_000);
    expect(residency.sizeOf(profile)).toBe(1_500);
    expect(residency.sizeOf(null)).toBeNull();
  });
});

describe("a generation", () => {
  test("is counted on its model until it ends, once", async () => {
    const { residency } = await loaded();
    const [first] = [residency.enter(LOCAL), residency.enter(LOCAL), residency.enter(CLOUD)];
    expect(residency.views(["gpu"])).toMatchObject([{ state: "resident", inFlight: 2 }]);
    first.end();
    first.end();
    expect(residency.views(["gpu"])).toMatchObject([{ inFlight: 1 }]);
  });

  test("with a model that is not there is refused, and counts nothing", () => {
    const { residency } = stage();
    expect(() => residency.enter(LOCAL)).toThrow(ProviderError);
    expect(() => residency.enter(LOCAL)).toThrow(/absent/);
    expect(residency.views(["gpu"])).toEqual([]);
  });

  test.each([
    ["a broken connection", new ProviderError({ kind: "network", code: "connection_lost" }, "x"), true],
    ["a model that is not there", new ProviderError({ kind: "refused", code: "model_not_found" }, "x"), true],
    [
      "a prompt that is too long",
      new ProviderError({ kind: "context_length", code: "context_length" }, "x"),
      false,
    ],
    ["nothing", undefined, false],
  ])("that ended by %s lets the server be looked at: %s", async (_, thrown, looks) => {
    const { residency, clock, server } = await loaded();
    const before = server.asked.get("/api/ps") ?? 0;
    residency.enter(LOCAL).end(thrown);
    await clock.advance(10);
    expect((server.asked.get("/api/ps") ?? 0) > before).toBe(looks);
  });
});

test("a generation that ends well on a server that was away lets it be looked at: the model is there", async () => {
  const { residency, clock, server, reports } = stage();
  server.isDown = true;
  residency.command({ type: "load", backend: "gpu", profile: "a:latest@512" });
  await clock.advance(200);
  expect(reports.at(-1)).toMatchObject({ state: "absent", passing: true });
  const use = residency.enter(LOCAL);
  server.isDown = false;
  server.foreignLoad("a", 512);
  use.end();
  await clock.advance(0);
  expect(reports.at(-1)).toMatchObject({ state: "resident" });
});

test("models of others at work are taken off the memory that the scheduler may plan with", async () => {
  const { residency, clock, server, caps } = stage();
  void residency.start();
  server.foreignLoad("x");
  await clock.advance(100);
  expect(caps).toMatchObject([{ backend: "gpu", residency: { vramBytes: 8_500 } }]);
  expect(residency.isForeign(["gpu", "cloud"], "x:latest")).toBe(true);
  expect(residency.isForeign(["cloud"], "x:latest")).toBe(false);
  await clock.advance(90_000);
  expect(caps.at(-1)).toMatchObject({ residency: { vramBytes: 10_000 } });
});

test("a command for a backend that loads nothing is nobody's, and after the end nothing happens", async () => {
  const { residency, clock, reports } = stage();
  residency.command({ type: "load", backend: "cloud", profile: "" });
  void residency.start();
  residency.close();
  await clock.advance(100_000);
  expect(reports).toEqual([]);
  expect(clock.pending).toBe(0);
});
