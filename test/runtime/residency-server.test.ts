// The watch over one server: what others do to it, what becomes of it, and how often it is asked.

import { describe, expect, test } from "vitest";
import { A, B, residencyStage } from "./residency-stage.ts";

describe("what the server shows", () => {
  test("is known from the start: a model that is in memory already is resident without a load", async () => {
    const { keeper, clock, server, told } = residencyStage();
    server.foreignLoad("a", 512);
    void keeper.start();
    await clock.advance(100);
    expect(told()).toEqual(["resident"]);
    expect(server.chats).toEqual([]);
  });

  test("wins: a model that another program moved out is absent, and loaded again at the next command", async () => {
    const { keeper, clock, server, load, told } = residencyStage();
    await load();
    server.loaded.clear();
    server.foreignLoad("x");
    await clock.advance(30_000);
    expect(told()).toEqual(["loading", "resident", "absent"]);
    keeper.command("load", A);
    await clock.advance(3_000);
    expect(told().at(-1)).toBe("resident");
  });

  test("is nothing at all on some: what was loaded by their word stays so until they show something else", async () => {
    const { keeper, clock, server, told, work } = residencyStage();
    work.isBusy = true;
    const set = server.loaded.set.bind(server.loaded);
    server.loaded.set = (name, model) => (name === "a:latest" ? server.loaded : set(name, model));
    keeper.command("load", A);
    await clock.advance(60_000);
    expect(told()).toEqual(["loading", "resident"]);
    server.foreignLoad("x");
    await clock.advance(5_000);
    expect(told().at(-1)).toBe("absent");
  });

  test("is believed where it was seen to show models: what went at once after its load is not there", async () => {
    const { keeper, clock, server, told, work } = residencyStage();
    work.isBusy = true;
    void keeper.start();
    server.foreignLoad("x");
    await clock.advance(100);
    server.loaded.clear();
    server.loaded.set = () => server.loaded;
    keeper.command("load", A);
    await clock.advance(60_000);
    expect(told().at(-1)).toBe("absent");
  });

  test("after a load is told of those too that the server put out for it, and before the load is", async () => {
    const { load, reports } = residencyStage({ maxLoaded: 1 });
    await load(A);
    await load(B);
    expect(reports.map(({ profile, state }) => `${profile} ${state}`)).toEqual([
      `${A} loading`,
      `${A} resident`,
      `${B} loading`,
      `${A} absent`,
      `${B} resident`,
    ]);
  });

  test("W1 before a load ended says nothing of it", async () => {
    const { told, load, clock, work } = residencyStage({ loadMs: 2_500 });
    work.isBusy = true;
    await load();
    await clock.advance(10_000);
    expect(told()).toEqual(["loading", "resident"]);
  });

  test("of others is noticed and said, and told as what they take while they are at work", async () => {
    const { keeper, clock, server, logged, foreignBytes, work } = residencyStage();
    work.isBusy = true;
    void keeper.start();
    await clock.advance(100);
    server.foreignLoad("x:7b");
    await clock.advance(2_000);
    expect(logged.filter((line) => line.includes("another program loaded a model"))).toHaveLength(1);
    expect(keeper.isForeign("x:7b")).toBe(true);
    expect(foreignBytes).toEqual([1_500]);
    await clock.advance(50_000);
    server.foreignUse("x:7b");
    await clock.advance(50_000);
    expect(foreignBytes).toEqual([1_500]);
    await clock.advance(30_000);
    expect(foreignBytes).toEqual([1_500, 0]);
    server.loaded.clear();
    await clock.advance(2_000);
    expect(logged.at(-1)).toContain("a model of another program went");
    expect(keeper.isForeign("x:7b")).toBe(false);
  });

  test("as our model with another context is somebody else's, and ours is absent", async () => {
    const { keeper, clock, server, told } = residencyStage();
    server.foreignLoad("a", 4_096);
    void keeper.start();
    await clock.advance(100);
    expect(told()).toEqual([]);
    expect(keeper.isForeign("a:latest")).toBe(true);
  });
});

describe("a server that is started again", () => {
  test("while somebody works has lost its models: absent, and back at the next command", async () => {
    const { keeper, clock, server, load, told, reached, work } = residencyStage();
    work.isBusy = true;
    await load();
    server.isDown = true;
    await clock.advance(4_000);
    expect(told().at(-1)).toBe("absent, passing");
    expect(reached.at(-1)).toBe(false);
    server.restart();
    await clock.advance(15_000);
    expect(told().at(-1)).toBe("absent");
    expect(reached.at(-1)).toBe(true);
    keeper.command("load", A);
    await clock.advance(3_000);
    expect(told().at(-1)).toBe("resident");
  });

  test("between two looks is noticed by what it no longer has", async () => {
    const { clock, server, load, told, work } = residencyStage();
    work.isBusy = true;
    await load();
    server.restart();
    await clock.advance(2_000);
    expect(told().at(-1)).toBe("absent");
  });

  test("is looked at at once when a generation was broken off", async () => {
    const { keeper, clock, server, load, told } = residencyStage();
    await load();
    server.isDown = true;
    keeper.suspect();
    await clock.advance(0);
    expect(told().at(-1)).toBe("absent, passing");
  });

  test("frees what was wedged there, without its pause", async () => {
    const { keeper, clock, server, told, viewOf, work } = residencyStage();
    work.isBusy = true;
    server.isWedged = true;
    server.foreignLoad("x");
    keeper.command("load", A);
    await clock.advance(310_000);
    expect(told().slice(0, 2)).toEqual(["loading", "absent, passing"]);
    expect(viewOf()).toMatchObject({ phase: "wedged", problem: { code: "load_wedged" }, failures: 1 });
    server.restart();
    await clock.advance(2_000);
    expect(viewOf()?.phase ?? null).toBeNull();
    expect(told().at(-1)).toBe("absent");
    keeper.command("load", A);
    await clock.advance(3_000);
    expect(told().at(-1)).toBe("resident");
  });

  test("a wedged load may be tried again after its pause, which doubles; it never hangs for ever", async () => {
    const { keeper, clock, server, told, viewOf } = residencyStage();
    server.isWedged = true;
    void keeper.start();
    await clock.advance(0);
    const pauses: number[] = [];
    for (let round = 0; round < 3; round++) {
      keeper.command("load", A);
      await clock.advance(63_000);
      pauses.push((viewOf()?.retryAt ?? 0) - (viewOf()?.since ?? 0));
      expect(told().at(-1)).toBe("absent, passing");
      await clock.advance(pauses.at(-1) ?? 0);
      expect(told().at(-1)).toBe("absent");
    }
    expect(pauses).toEqual([30_000, 60_000, 120_000]);
  });
});

describe("a model that is deleted under us", () => {
  test("is told by the list of models, while its rest in memory answers nobody; and found again", async () => {
    const { clock, server, load, told, viewOf, work } = residencyStage();
    work.isBusy = true;
    await load();
    server.remove("a");
    await clock.advance(32_000);
    expect(told().at(-1)).toBe("absent, passing");
    expect(viewOf()).toMatchObject({ phase: "removed", problem: { code: "model_not_found" } });
    expect(viewOf()?.problem?.message).toContain("ollama pull a");
    server.install("a");
    await clock.advance(32_000);
    // It is in memory still, so that it serves again at once.
    expect(told().at(-1)).toBe("resident");
  });

  test("is told by a generation that was refused, at once", async () => {
    const { clock, server, load, told, keeper } = residencyStage();
    await load();
    server.remove("a");
    keeper.suspect();
    await clock.advance(0);
    expect(told().at(-1)).toBe("absent, passing");
  });
});

describe("how often the server is asked", () => {
  test("W2 is often while somebody works, rarely while nobody does, and never after the end", async () => {
    const { keeper, clock, server, work } = residencyStage();
    void keeper.start();
    const looksIn = async (ms: number): Promise<number> => {
      const before = server.asked.get("/api/ps") ?? 0;
      await clock.advance(ms);
      return (server.asked.get("/api/ps") ?? 0) - before;
    };
    await looksIn(0);
    expect(await looksIn(600_000)).toBe(20);
    work.isBusy = true;
    keeper.nudge();
    expect(await looksIn(60_000)).toBe(30);
    work.isBusy = false;
    await looksIn(2_000);
    expect(await looksIn(600_000)).toBe(20);
    keeper.close();
    expect(await looksIn(600_000)).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("W3 a look that comes to nothing changes nothing", async () => {
    const { clock, server, load, told } = residencyStage();
    await load();
    server.isSilent = true;
    await clock.advance(120_000);
    expect(told()).toEqual(["loading", "resident"]);
  });
});

test("a profile that the config has no more is absent to whoever asks for it", () => {
  const { keeper, reports, told } = residencyStage();
  keeper.command("load", "gone:latest@512");
  expect(reports).toEqual([{ backend: "ollama", profile: "gone:latest@512", state: "absent" }]);
  expect(told(B)).toEqual([]);
  expect(keeper.use("gone:latest@512")).toBeNull();
});
