import system from "node:process";
import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { processTerminal, programName } from "../../src/cli/terminal.ts";

describe("T1 interrupts", () => {
  test("signals that follow at once are one press, later ones another, and none is heard after the end", async () => {
    const clock = new SimulatedClock();
    const terminal = processTerminal(clock);
    let presses = 0;
    const stop = terminal.onInterrupt(() => (presses += 1));
    system.emit("SIGINT", "SIGINT");
    await clock.advance(20);
    system.emit("SIGINT", "SIGINT");
    expect(presses).toBe(1);
    await clock.advance(400);
    system.emit("SIGTERM", "SIGTERM");
    expect(presses).toBe(2);
    for (let repeat = 0; repeat < 10; repeat += 1) {
      await clock.advance(30);
      system.emit("SIGINT", "SIGINT");
    }
    expect(presses).toBe(4);
    await clock.advance(400);
    system.emit("SIGHUP", "SIGHUP");
    expect(presses).toBe(5);
    stop();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) expect(system.listenerCount(signal)).toBe(0);
  });
});

test.each([
  [{ npm_command: "exec" }, "/work/src/cli/main.ts", "npx troupe"],
  [{}, "/usr/bin/troupe", "troupe"],
  [{}, "/work/src/cli/main.ts", "node src/cli/main.ts"],
  [{}, "/elsewhere/main.ts", "node /elsewhere/main.ts"],
])("with %j and %s a person types %s", (env, script, program) => {
  const runtime = { name: "Node.js", version: "26" };
  expect(programName(script, { env, cwd: "/work", runtime })).toBe(program);
  expect(programName("/work/a.ts", { env: {}, cwd: "/work", runtime: { ...runtime, name: "Bun" } })).toBe(
    "bun a.ts",
  );
});

test("knows the runtime it runs on", () => {
  const { runtime, platform } = processTerminal(new SimulatedClock());
  expect(runtime).toEqual({ name: "Node.js", version: system.versions.node });
  expect(platform).toBe(system.platform);
});

test("no whole screen where no person both types and reads", () => {
  // The streams of a test run are pipes.
  expect(processTerminal(new SimulatedClock()).screen()).toBe(null);
});
