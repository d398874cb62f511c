// Which servers are away, asked of a server in the shape of Ollama on a virtual clock.

import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { lineLogger } from "../../src/base/log.ts";
import { SERVER_AWAY } from "../../src/core/lifecycle.ts";
import { Outages } from "../../src/runtime/outages.ts";
import { FakeOllama } from "./fake-ollama.ts";

const LOST = new ProviderError({ kind: "network", code: "connection_lost" }, "x");
const LIVING = new AbortController().signal;

function stage(rest: { readonly mostMs?: number } = {}) {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 2, 12, 3, 20));
  const server = new FakeOllama({ clock, models: ["a"] });
  const logged: string[] = [];
  const welcomed: string[] = [];
  const changes: (readonly [string, boolean])[] = [];
  const outages = new Outages({
    clock,
    logger: lineLogger((line) => logged.push(line)),
    clientOf: (backend) => (backend === "gpu" ? server.provider : null),
    welcome: async (backend) => void welcomed.push(backend),
    onChange: (...change) => void changes.push(change),
    mostMs: rest.mostMs ?? null,
  });
  const asked = (): number => server.asked.get("/api/version") ?? 0;
  const suspect = async (thrown: unknown = LOST, backend = "gpu"): Promise<boolean> => {
    const found = outages.suspect(backend, thrown, LIVING);
    await clock.advance(5_000);
    return found;
  };
  return { clock, server, outages, logged, welcomed, changes, asked, suspect };
}

describe("a server is away", () => {
  test("O1 when a question of our own is not answered either", async () => {
    const { server, outages, suspect, asked } = stage();
    expect([await suspect(), outages.isAway("gpu"), asked()]).toEqual([false, false, 1]);
    server.isDown = true;
    expect([await suspect(), outages.isAway("gpu")]).toEqual([true, true]);
  });

  test("O1 when it takes everything and answers nothing", async () => {
    const { server, suspect } = stage();
    server.isSilent = true;
    expect(await suspect(new ProviderError({ kind: "timeout", code: "stalled" }, "x"))).toBe(true);
  });

  test.each([
    [
      "that it has too much to do",
      new ProviderError({ kind: "overloaded", code: "busy" }, "x", { status: 503 }),
    ],
    ["a word in its own stream", new ProviderError({ kind: "network", code: "server_error" }, "x")],
    ["a gateway", new ProviderError({ kind: "network", code: "server_error" }, "x", { status: 502 })],
    ["a certificate", new ProviderError({ kind: "network", code: "tls" }, "x")],
    ["a defect of ours", new Error("x")],
  ])("never because of %s", async (_, thrown) => {
    const { server, suspect, asked } = stage();
    server.isDown = true;
    expect([await suspect(thrown), asked()]).toEqual([false, 0]);
  });

  test("never if it is a cloud's", async () => {
    const { outages, suspect } = stage();
    expect(await suspect(LOST, "cloud")).toBe(false);
    outages.noticed("cloud", false, 0);
    expect(outages.isAway("cloud")).toBe(false);
  });

  test("told with since when, as an error that counts no try", async () => {
    const { server, outages, suspect, clock } = stage();
    expect([outages.wordsOf("gpu"), outages.heldUp("gpu")]).toEqual([null, null]);
    server.isDown = true;
    await suspect();
    const words = "gpu at http://127.0.0.1:11434 has not answered since 2026-01-02T12:03:20Z";
    expect(outages.wordsOf("gpu")).toBe(words);
    expect(outages.heldUp("gpu")).toMatchObject({
      code: SERVER_AWAY,
      message: `${words}; held until it is back.`,
      retryAfterMs: 60_000,
      details: { held_up: true, backend: "gpu" },
    });
    await clock.advance(3_600_000);
    expect(outages.heldUp("gpu")?.retryAfterMs).toBe(600_000);
  });

  test("only for as long as the config says", async () => {
    const { server, outages, suspect, clock } = stage({ mostMs: 70_000 });
    server.isDown = true;
    await suspect();
    await clock.advance(55_000);
    expect(outages.heldUp("gpu")?.retryAfterMs).toBe(10_000);
    await clock.advance(10_000);
    expect([outages.heldUp("gpu"), outages.isAway("gpu")]).toEqual([null, true]);
  });
});

describe("a server that is away", () => {
  test("O2 is asked after 1, 2, 4, 8 and then every 15 s, whoever else asks", async () => {
    const { server, outages, asked, clock } = stage();
    server.isDown = true;
    outages.noticed("gpu", false, 0);
    await clock.advance(15_000);
    expect(asked()).toBe(4);
    expect(await outages.suspect("gpu", LOST, LIVING)).toBe(true);
    await clock.advance(45_000);
    expect(asked()).toBe(7);
  });

  test("O3 wakes who waits for it once it is back, after its models are known", async () => {
    const { server, outages, clock, logged, welcomed } = stage();
    server.isDown = true;
    outages.noticed("gpu", false, 0);
    const woken: string[] = [];
    let isLate = false;
    outages.wakeLater("gpu", "task_1", () => woken.push(`1 after ${welcomed.join()}`) > 0);
    outages.wakeLater("gpu", "task_2", () => {
      if (isLate) woken.push("2");
      return isLate;
    });
    server.restart();
    await clock.advance(1_000);
    expect([woken, outages.isAway("gpu")]).toEqual([["1 after gpu"], false]);
    await clock.advance(500);
    isLate = true;
    await clock.advance(1_000);
    expect(woken).toEqual(["1 after gpu", "2"]);
    expect(logged).toEqual([
      expect.stringContaining("the model server does not answer; its tasks are held"),
      expect.stringContaining("the model server is back"),
    ]);
    expect(clock.pending).toBe(0);
  });

  test("is back as soon as somebody saw it", async () => {
    const { outages, clock, asked, changes } = stage();
    outages.noticed("gpu", false, 0);
    let woken = 0;
    outages.wakeLater("gpu", "task_1", () => ++woken > 0);
    await clock.advance(100);
    outages.noticed("gpu", true, 0);
    expect(changes).toEqual([["gpu", true]]);
    expect(outages.isAway("gpu")).toBe(true);
    outages.noticed("gpu", true, 50);
    outages.wakeLater("gpu", "task_1", () => ++woken > 0);
    await clock.advance(60_000);
    expect([woken, asked(), outages.isAway("gpu")]).toEqual([1, 0, false]);
    expect(changes).toEqual([
      ["gpu", true],
      ["gpu", false],
    ]);
  });

  test("O4 is left alone after the end, and nobody is woken", async () => {
    const { server, outages, clock, asked } = stage();
    server.isDown = true;
    outages.noticed("gpu", false, 0);
    outages.wakeLater("gpu", "task_1", () => {
      throw new Error("Woken.");
    });
    outages.close();
    server.restart();
    await clock.advance(60_000);
    outages.noticed("gpu", false, 0);
    expect([asked(), outages.isAway("gpu"), clock.pending]).toEqual([0, false, 0]);
    expect(await outages.suspect("gpu", LOST, LIVING)).toBe(false);
  });
});

test("who waits no more is not counted, and not woken", async () => {
  const { server, outages, clock } = stage();
  server.isDown = true;
  outages.noticed("gpu", false, 0);
  const woken: string[] = [];
  for (const id of ["task_1", "task_2"]) outages.wakeLater("gpu", id, () => woken.push(id) > 0);
  outages.wakeForAny(["gpu"], "task_3", () => woken.push("task_3") > 0);
  outages.forget("task_1");
  outages.forget("task_3");
  expect(outages.views(["gpu"])).toMatchObject([{ held: 1 }]);
  server.restart();
  await clock.advance(20_000);
  expect(woken).toEqual(["task_2"]);
});

test("whoever called off a question hears no answer", async () => {
  const { server, outages, clock } = stage();
  server.isSilent = true;
  const called = new AbortController();
  clock.after(10, () => called.abort(new Error("off")));
  const moved = clock.advance(10);
  await expect(outages.suspect("gpu", LOST, called.signal)).rejects.toThrow("off");
  await moved;
  outages.close();
  await clock.advance(10_000);
  expect(clock.pending).toBe(0);
});

test("a client that cannot be made is no outage", async () => {
  const { clock, logged } = stage();
  const outages = new Outages({
    clock,
    logger: lineLogger((line) => logged.push(line)),
    clientOf: () => {
      throw new Error("no key");
    },
    welcome: async () => {},
    onChange: () => {},
    mostMs: null,
  });
  expect(await outages.suspect("gpu", LOST, LIVING)).toBe(false);
  outages.noticed("gpu", false, 0);
  expect([outages.isAway("gpu"), logged.length]).toEqual([false, 1]);
});
