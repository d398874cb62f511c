// Loading and unloading one model on a server in the shape of Ollama, on a virtual clock.

import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import type { LoadOutput, UnloadOutput } from "../../machines/residency.ts";
import type { LoadedModelInfo } from "../../providers/provider.ts";
import { loadLimitMs, loadModel, look, unloadModel } from "../../src/runtime/residency-moves.ts";
import { FakeOllama } from "./fake-ollama.ts";

const LIMIT_MS = loadLimitMs(null);

function stage(options: { readonly loadMs?: number; readonly failures?: number } = {}) {
  const clock = new SimulatedClock();
  const { loadMs = 1_000, failures = 0 } = options;
  const server = new FakeOllama({ clock, models: ["a", "b"], loadMs });
  const abort = new AbortController();
  const shown: (LoadedModelInfo | null)[] = [];
  const move = {
    provider: server.provider,
    clock,
    signal: abort.signal,
    profile: { backend: "ollama", model: "a:latest", runner: { contextTokens: 512 } },
    digest: null,
  };
  const load = {
    ...move,
    shownContext: null,
    sizeBytes: null,
    failures,
    onShown: (model: LoadedModelInfo | null) => void shown.push(model),
  };
  const loading = (): Promise<LoadOutput> => loadModel(load);
  const unloading = (): Promise<UnloadOutput> => unloadModel(move);
  /** What it comes to within so much time; nothing if it takes longer. */
  async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    let done: T | undefined;
    void work.then((value) => (done = value));
    await clock.advance(ms);
    return done;
  }
  return { clock, server, abort, shown, move, load, loading, unloading, within };
}

describe("a load", () => {
  test("asks once, with the profile's options and for how long to keep it, and ends when the server shows it", async () => {
    const { server, shown, loading, within } = stage({ loadMs: 20_000 });
    const work = loading();
    expect(await within(19_000, work)).toBeUndefined();
    const output = await within(2_000, work);
    expect(output).toEqual({ outcome: "loaded", vramBytes: 1_500, tookMs: expect.any(Number) });
    expect((output as { tookMs: number }).tookMs).toBeGreaterThanOrEqual(20_000);
    expect(server.chats).toEqual([
      expect.objectContaining({
        model: "a:latest",
        messages: [],
        keep_alive: "30m",
        options: { num_ctx: 512 },
      }),
    ]);
    expect(shown).toMatchObject([{ name: "a:latest", contextTokens: 512 }]);
  });

  test("of what is there already ends at once", async () => {
    const { server, loading, within } = stage();
    server.foreignLoad("a", 512);
    expect(await within(0, loading())).toMatchObject({ outcome: "loaded", tookMs: 0 });
  });

  test("during which nothing moves while the server answers everything else is wedged, and says what to do", async () => {
    const { server, loading, within, clock } = stage();
    server.isWedged = true;
    server.foreignLoad("b");
    const work = loading();
    expect(await within(LIMIT_MS - 2_000, work)).toBeUndefined();
    const output = await within(6_000, work);
    expect(output).toMatchObject({ outcome: "wedged", failure: { code: "load_wedged", kind: "overloaded" } });
    expect(output).toMatchObject({
      failure: { message: expect.stringContaining("Restart Ollama") as string },
    });
    // The request was called off: nothing is left of it.
    expect(clock.pending).toBe(0);
  });

  test("is given its time anew whenever something moves: others may be served first", async () => {
    const { server, loading, within } = stage();
    server.isWedged = true;
    const work = loading();
    await within(LIMIT_MS - 5_000, work);
    server.foreignLoad("b");
    expect(await within(LIMIT_MS - 5_000, work)).toBeUndefined();
    expect(await within(12_000, work)).toMatchObject({ outcome: "wedged" });
  });

  test("pauses longer after each failure, and no shorter than the server asks", async () => {
    const pauses = [0, 1, 2, 20].map(async (failures) => {
      const { server, loading, within } = stage({ failures });
      server.refusal = { status: 500, error: "model requires more system memory than is available" };
      const output = await within(1_000, loading());
      return (output as { retryInMs: number }).retryInMs;
    });
    expect(await Promise.all(pauses)).toEqual([5_000, 10_000, 20_000, 600_000]);
  });

  test.each([
    [
      "a model that is not there",
      (server: FakeOllama) => server.remove("a"),
      { outcome: "removed", failure: { code: "model_not_found" } },
    ],
    ["a server that is away", (server: FakeOllama) => (server.isDown = true), { outcome: "away" }],
    [
      "a server without room",
      (server: FakeOllama) =>
        (server.refusal = {
          status: 503,
          error: "server busy, please try again.  maximum pending requests exceeded",
        }),
      { outcome: "failed", failure: { kind: "overloaded" } },
    ],
  ])("tells %s at once", async (_, prepare, expected) => {
    const { server, loading, within } = stage();
    prepare(server);
    expect(await within(1_000, loading())).toMatchObject(expected);
  });

  test("on a server that goes silent ends as a timeout", async () => {
    const { server, loading, within } = stage();
    server.isSilent = true;
    expect(await within(LIMIT_MS + 20_000, loading())).toMatchObject({
      outcome: "failed",
      failure: { code: "load_timeout" },
    });
  });

  test("on a server that dies meanwhile ends as away", async () => {
    const { server, loading, within } = stage({ loadMs: 60_000 });
    const work = loading();
    await within(3_000, work);
    server.isDown = true;
    expect(await within(3_000, work)).toEqual({ outcome: "away" });
  });

  test("on a server that was started again meanwhile is asked for once more", async () => {
    const { server, loading, within } = stage();
    server.isWedged = true;
    const work = loading();
    await within(3_000, work);
    server.restart();
    expect(await within(3_000, work)).toMatchObject({ outcome: "loaded", vramBytes: 1_500 });
    expect(server.chats.length).toBe(2);
  });

  test("of a model that goes again at once says so", async () => {
    const { server, loading, within } = stage();
    const work = loading();
    await within(999, work);
    const stolen = setStolen(server, "a:latest");
    server.foreignLoad("x");
    expect(await within(10_000, work)).toMatchObject({ outcome: "failed", failure: { code: "load_lost" } });
    stolen();
  });

  const LOST = { outcome: "failed", failure: { code: "load_lost" } };
  test.each([
    { name: "says so", shownContext: null, expected: LOST, shows: [] },
    {
      name: "is good where it was shown with that before",
      shownContext: 4_096,
      expected: { outcome: "loaded" },
      shows: [{ contextTokens: 4_096 }],
    },
  ])("of a model that another program then loads with its own context $name", async (each) => {
    const { server, shown, load, within } = stage();
    const stolen = setStolen(server, "a:latest");
    const work = loadModel({ ...load, shownContext: each.shownContext });
    await within(1_000, work);
    stolen();
    server.foreignLoad("a");
    expect(await within(10_000, work)).toMatchObject(each.expected);
    expect(shown).toMatchObject(each.shows);
  });

  test("that the server shows with another context at once is taken as it is shown", async () => {
    const { server, shown, loading, within } = stage();
    const set = server.loaded.set.bind(server.loaded);
    server.loaded.set = (name, value) => set(name, { ...value, context: 2_048 });
    expect(await within(1_000, loading())).toMatchObject({ outcome: "loaded" });
    expect(shown).toMatchObject([{ name: "a:latest", contextTokens: 2_048 }]);
  });

  test("on a server that shows nothing of its memory is asked for twice, and ends by the server's word", async () => {
    const { server, shown, loading, within } = stage();
    setStolen(server, "a:latest");
    expect(await within(10_000, loading())).toMatchObject({ outcome: "loaded", vramBytes: 0 });
    expect(shown).toEqual([null]);
    expect(server.loads).toBe(2);
  });

  test.each([false, true])(
    "of a model that was put out for one that never came is made again, after a restart too: %s",
    async (isNew) => {
      const { server, shown, loading, within } = stage();
      server.isWedged = isNew;
      const work = loading();
      await within(0, work);
      // Started again: that the load broke off takes nothing from it.
      if (isNew) server.restart();
      const stolen = setStolen(server, "a:latest");
      await within(1_000, work);
      stolen();
      expect(await within(10_000, work)).toMatchObject({ outcome: "loaded", vramBytes: 1_500 });
      expect(shown).toMatchObject([{ name: "a:latest", contextTokens: 512 }]);
    },
  );

  test("that is called off ends with the reason, and leaves no timer", async () => {
    const { abort, loading, clock } = stage({ loadMs: 60_000 });
    const work = loading();
    const ended = work.catch((reason: unknown) => reason);
    await clock.advance(1_000);
    abort.abort("no longer wanted");
    expect(await ended).toBe("no longer wanted");
    expect(clock.pending).toBe(0);
  });

  test("may take as long as a slow disk needs for its size", () => {
    expect(loadLimitMs(0)).toBe(60_000);
    expect(loadLimitMs(65_000_000_000)).toBe(60_000 + 650_000);
  });
});

describe("an unload", () => {
  test("ends when the server does not show the model any more", async () => {
    const { server, unloading, within } = stage();
    server.foreignLoad("a", 512);
    expect(await within(100, unloading())).toEqual({ outcome: "gone" });
    expect(server.chats).toEqual([{ model: "a:latest", stream: false, messages: [], keep_alive: 0 }]);
  });

  test("asks again while another program keeps the model, and gives up after a minute", async () => {
    const { server, unloading, within } = stage();
    server.foreignLoad("a", 512);
    const restored = setKept(server, "a:latest");
    const work = unloading();
    expect(await within(55_000, work)).toBeUndefined();
    expect(await within(7_000, work)).toEqual({ outcome: "kept" });
    expect(server.chats.length).toBeGreaterThan(5);
    expect(server.chats.length).toBeLessThan(15);
    restored();
  });

  test("on a server that is started again by then ends by what it shows", async () => {
    const { server, unloading, within } = stage();
    server.foreignLoad("a", 512);
    server.loaded.delete = () => {
      server.loaded.clear();
      throw Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNRESET" } });
    };
    expect(await within(100, unloading())).toEqual({ outcome: "gone" });
  });

  test("of a model that was deleted ends when it is gone, and on a server that is away as away", async () => {
    const { server, unloading, within } = stage();
    server.remove("a");
    expect(await within(100, unloading())).toEqual({ outcome: "gone" });
    server.isDown = true;
    expect(await within(100, unloading())).toEqual({ outcome: "away" });
  });
});

describe("a look", () => {
  test("tells silence from absence", async () => {
    const { server, move, within } = stage();
    expect(await within(0, look(move))).toEqual({ outcome: "seen", models: [] });
    server.isSilent = true;
    expect(await within(6_000, look(move))).toEqual({ outcome: "silent" });
    server.isDown = true;
    expect(await within(0, look(move))).toEqual({ outcome: "away" });
  });
});

/** Another program takes the model's place as soon as it is there. */
function setStolen({ loaded }: FakeOllama, name: string): () => void {
  const set = loaded.set.bind(loaded);
  loaded.set = (key, value) => (key === name ? loaded : set(key, value));
  return () => (loaded.set = set);
}

/** Another program uses the model all the time. */
function setKept({ loaded }: FakeOllama, name: string): () => void {
  const remove = loaded.delete.bind(loaded);
  loaded.delete = (key) => (key === name ? false : remove(key));
  return () => (loaded.delete = remove);
}
