// One profile on its server: what the scheduler hears of it, who may use it, and when it is let go.

import { describe, expect, test } from "vitest";
import { ProviderError } from "../../src/base/errors.ts";
import { A, residencyStage } from "./residency-stage.ts";

function thrownBy(work: () => unknown): ProviderError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof ProviderError) return thrown;
    throw thrown;
  }
  throw new Error("It was let through.");
}

describe("what the scheduler hears", () => {
  test("R2 is each state once, with the size and the time that the load took", async () => {
    const { told, load, reports, keeper, clock } = residencyStage();
    await load();
    expect(told()).toEqual(["loading", "resident"]);
    expect(reports.at(-1)).toMatchObject({ backend: "ollama", vramBytes: 1_500 });
    expect(reports.at(-1)?.tookMs).toBeGreaterThanOrEqual(1_000);
    await clock.advance(60_000);
    expect(told()).toHaveLength(2);
    keeper.command("unload", A);
    await clock.advance(1_000);
    expect(told().slice(2)).toEqual(["unloading", "absent"]);
    expect(reports.at(-1)?.tookMs).toBeGreaterThanOrEqual(0);
  });

  test("is what an unload took, whatever became of the time of day meanwhile", async () => {
    const { load, reports, keeper, clock } = residencyStage();
    await load();
    keeper.command("unload", A);
    const now = clock.now.bind(clock);
    clock.now = () => now() + 86_400_000;
    await clock.advance(1_000);
    expect(reports.at(-1)).toMatchObject({ state: "absent" });
    expect(reports.at(-1)?.tookMs).toBeLessThanOrEqual(1_000);
  });

  test("R2 is the state again at a command that changes nothing", async () => {
    const { told, load, keeper } = residencyStage();
    await load();
    keeper.command("load", A);
    expect(told()).toEqual(["loading", "resident", "resident"]);
  });

  test("is nothing of a model that is absent and that nobody asked for", async () => {
    const { reports, keeper, clock, server } = residencyStage();
    void keeper.start();
    await clock.advance(100);
    server.isDown = true;
    await clock.advance(60_000);
    expect(reports).toEqual([]);
  });

  test("is that turns may pass, while a load cannot succeed", async () => {
    const { told, load, server } = residencyStage();
    server.refusal = { status: 500, error: "llama runner process has terminated" };
    await load();
    expect(told()).toEqual(["loading", "absent, passing"]);
  });
});

describe("a use of the model", () => {
  test("R1 holds it back from going until the last one has ended", async () => {
    const { load, keeper, clock, viewOf, server } = residencyStage();
    await load();
    const uses = [keeper.use(A), keeper.use(A)];
    expect(viewOf()?.inFlight).toBe(2);
    keeper.command("unload", A);
    uses[0]?.end();
    await clock.advance(5_000);
    expect(viewOf()?.state).toBe("draining");
    expect(server.inMemory).toEqual(["a:latest"]);
    uses[1]?.end();
    await clock.advance(1_000);
    expect(viewOf()?.state).toBe("absent");
    expect(server.inMemory).toEqual([]);
  });

  test("that never lets go holds it back no longer than it may", async () => {
    const { load, keeper, clock, server } = residencyStage();
    await load();
    keeper.use(A);
    keeper.command("unload", A);
    await clock.advance(9_900);
    expect(server.inMemory).toEqual(["a:latest"]);
    await clock.advance(1_000);
    expect(server.inMemory).toEqual([]);
  });

  test("is refused while the model is not there, as something that passes", async () => {
    const { keeper } = residencyStage();
    const refused = thrownBy(() => keeper.use(A));
    expect(refused).toMatchObject({ code: "model_absent", transient: true });
  });

  test("is refused with the reason of a failed load, and how long it is not worth asking", async () => {
    const { keeper, load, server, clock } = residencyStage();
    server.refusal = { status: 500, error: "model requires more system memory (9 GiB) than is available" };
    keeper.command("load", A);
    await clock.advance(1_000);
    const refused = thrownBy(() => keeper.use(A));
    expect(refused.message).toContain("requires more system memory");
    expect(refused.retryAfterMs).toBeGreaterThan(3_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(5_000);
    const now = clock.now.bind(clock);
    clock.now = () => now() - 86_400_000;
    expect(thrownBy(() => keeper.use(A)).retryAfterMs).toBe(refused.retryAfterMs);
    await clock.advance(6_000);
    await load();
    expect(() => keeper.use(A)).not.toThrow();
  });

  test("of a model that was deleted is refused for good", async () => {
    const { keeper, load, server } = residencyStage();
    server.remove("a");
    await load();
    expect(thrownBy(() => keeper.use(A))).toMatchObject({ code: "model_not_found", transient: false });
  });

  test("of a server that is away is let through: it says so itself", async () => {
    const { keeper, load, server } = residencyStage();
    server.isDown = true;
    await load();
    expect(() => keeper.use(A)).not.toThrow();
  });
});

test("R3 after the end nothing is told, and no timer is left", async () => {
  const { keeper, load, server, clock, reports } = residencyStage();
  server.refusal = { status: 500, error: "no" };
  await load();
  const { length } = reports;
  keeper.close();
  keeper.command("load", A);
  await clock.advance(600_000);
  expect(reports).toHaveLength(length);
  expect(clock.pending).toBe(0);
});
