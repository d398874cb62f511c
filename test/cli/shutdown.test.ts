// What is said and done at the end, from what the box says of itself; real servers end in restart.test.ts.

import { expect, test } from "vitest";
import { windDown } from "../../src/cli/shutdown.ts";
import { Printer } from "../../src/cli/printer.ts";
import type { BoxStatus } from "../../src/core/box-api.ts";
import { ScriptedTerminal } from "./scripted-terminal.ts";

interface Case {
  readonly durability: BoxStatus["durability"];
  /** Living tasks before and after. */
  readonly living: readonly [number, number];
  readonly json?: boolean;
}

async function ended({ durability, living, json = false }: Case) {
  const terminal = new ScriptedTerminal();
  const graces: number[] = [];
  const status = async (): Promise<BoxStatus> => ({
    version: "0",
    boxId: "box",
    simulated: false,
    paused: false,
    startedAt: 0,
    durability,
    storeId: "store",
    newestCursor: 0,
    unsafe: [],
    recordedAt: null,
    tasks: {
      spawned: 0,
      running: living[graces.length] ?? 0,
      steering: 0,
      done: 7,
      cancelled: 0,
      failed: 0,
    },
  });
  const drain = async (graceMs: number) => {
    graces.push(graceMs);
    return { parked: living[1] };
  };
  await windDown(
    { api: { status }, config: { server: { shutdown_grace_s: 3 } }, drain },
    new Printer(terminal, json),
  );
  return { err: terminal.err, out: terminal.out, graces };
}

test("tasks that are kept have the grace of the config, and what is left of them is told", async () => {
  expect(await ended({ durability: "full", living: [3, 2] })).toEqual({
    out: "",
    err:
      "Stopping with 3 living tasks: new ones are refused, and what is under way has 3 s to end. Ctrl-C again stops at " +
      "once, and loses nothing either.\n2 tasks go on at the next start.\n",
    graces: [3_000],
  });
  expect((await ended({ durability: "normal", living: [1, 1] })).err).toContain(
    "\n1 task goes on at the next start.\n",
  );
  expect((await ended({ durability: "full", living: [1, 0] })).err).not.toContain("next start");
});

test("tasks in memory are lost, which is said, and nobody waits for them", async () => {
  expect(await ended({ durability: "none", living: [2, 2] })).toEqual({
    out: "",
    err: "Stopping with 2 living tasks; this store is in memory, so they are lost. Ctrl-C again stops at once.\n",
    graces: [0],
  });
});

test("without living tasks it stops at once, and with --json says nothing of it", async () => {
  expect(await ended({ durability: "full", living: [0, 0] })).toEqual({
    out: "",
    err: "Stopping.\n",
    graces: [0],
  });
  expect(await ended({ durability: "full", living: [0, 0], json: true })).toMatchObject({ out: "", err: "" });
});
