// T54: what a command leaves behind does all it can to get away, and does not survive a cancel, a timeout, the end of
// its task or the death of the server; beside it commands without walls, whose remains do.

import { readFileSync, readlinkSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { groupPrefix, ownerOf } from "../../src/sandbox/cgroup-plan.ts";
import { groupsNamed, missing, sandboxHere } from "../sandbox/machine.ts";
import { bury, escapees, makeField, running, wordOf, type Attacker, type Field } from "./terminal-ground.ts";

/** Longer than any machine needs. */
const SOON = { timeout: 60_000, interval: 20 };

let { ground, walled, bare, clear } = {} as Field;
beforeEach(() => {
  ({ ground, walled, bare, clear } = makeField());
});
afterEach(() => clear());

describe.skipIf(missing !== null)("T54 nothing survives", () => {
  it("a cancel", async () => {
    const word = wordOf("912345");
    const left = async (by: Attacker): Promise<void> => {
      const abort = new AbortController();
      const called = by.run(`${escapees(word)} >begun; sleep ${word}`, { signal: abort.signal });
      await expect.poll(() => running(word).length, SOON).toBeGreaterThanOrEqual(6);
      abort.abort(new Error("cancelled"));
      await expect(called).rejects.toThrow("cancelled");
    };
    await left(walled);
    await expect.poll(() => running(word), SOON).toEqual([]);
    await left(bare);
    expect(running(word)).not.toEqual([]);
    bury(word);
  });

  it("a timeout", async () => {
    const word = wordOf("923456");
    const { note } = await walled.run(`${escapees(word)}; sleep ${word}`, { timeoutS: 2 });
    expect(note).toMatch(/longer than 2 s/);
    await expect.poll(() => running(word), SOON).toEqual([]);
  });

  it("the task's end", async () => {
    const word = wordOf("934567");
    await walled.run(escapees(word));
    expect(running(word).length).toBeGreaterThanOrEqual(6);
    await walled.end();
    await expect.poll(() => running(word), SOON).toEqual([]);
  });

  it("SIGKILL of the server", async () => {
    const word = wordOf("945678");
    const victim = new URL("terminal-victim.ts", import.meta.url).pathname;
    const killed = async (how: "walled" | "bare"): Promise<string> => {
      const argv = [process.execPath, victim, ground.workspace, escapees(word), how] as const;
      const server = await nodeProcesses.start({ argv, env: { PATH: process.env["PATH"] ?? "" } });
      let said = "";
      server.onOutput(1, (bytes) => (said += new TextDecoder().decode(bytes)));
      await expect.poll(() => said, SOON).toContain("ready");
      expect(running(word).length).toBeGreaterThanOrEqual(6);
      const stat = readFileSync(`/proc/${server.pid}/stat`, "utf8");
      const owner = ownerOf(stat, readlinkSync("/proc/self/ns/pid"));
      process.kill(server.pid, "SIGKILL");
      await server.exited;
      return owner === null ? "?" : groupPrefix(owner);
    };
    const left = await killed("walled");
    await expect.poll(() => running(word), SOON).toEqual([]);
    // What held them is cleared by the next server.
    await sandboxHere().verdict();
    await expect.poll(() => groupsNamed(left), SOON).toEqual([]);
    await killed("bare");
    expect(running(word)).not.toEqual([]);
    bury(word);
  });
});
