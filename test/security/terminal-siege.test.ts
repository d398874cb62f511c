// T53: a child at its worst is stopped at its bounds, all its processes together, and whoever started it answers all
// along. How fast, on a quiet machine, is for `npm run bench -- sandbox --part siege` to say.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeGround, missing, sandboxHere, type Ground } from "../sandbox/machine.ts";
import { attackerIn, bury, running, wordOf, type Attacker } from "./terminal-ground.ts";

/** Longer than any machine needs. */
const SOON = { timeout: 60_000, interval: 20 };
const BOUNDS = { maxProcesses: 48, maxMemoryBytes: 128 * 2 ** 20 };

const verdict = missing === null ? await sandboxHere().verdict() : null;
/** Why a session is not held as a whole here. */
const gap = verdict?.stands === true ? verdict.bounds.gap : "there are no walls";
if (gap !== null) process.stderr.write(`sessions are not tried as a whole: ${gap}\n`);

let ground: Ground;
let walled: Attacker;
beforeEach(() => {
  ground = makeGround();
  walled = attackerIn(ground.workspace, sandboxHere(BOUNDS));
});
afterEach(async () => {
  await walled.sessions.close();
  ground.remove();
});

/** Calls `during` while the attack goes on, then ends it. */
async function besieged(attack: string, during: () => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const called = walled.run(attack, { signal: abort.signal }).then(
    () => "it ended by itself",
    (error: unknown) => String(error),
  );
  try {
    await during();
  } finally {
    abort.abort(new Error("enough"));
    expect(await called).toContain("enough");
  }
}

describe.skipIf(missing !== null)("T53 the server answers", () => {
  it.each([
    ["a fork bomb, which stays within its bound", (word: string) => `perl -e 'fork while 1' ${word}`, 20],
    ["busy loops", (word: string) => `for i in {1..8}; do perl -e '1 while 1' ${word} & done; wait`, 8],
    ["output without end", (word: string) => `exec -a yes perl -e 'print "y\\n" x 9999 while 1' ${word}`, 1],
  ])("under %s", async (_, attackOf, least) => {
    const word = wordOf("961234");
    const server = createServer((_request, response) => response.end("ok"));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await besieged(attackOf(word), async () => {
        await expect.poll(() => running(word).length, SOON).toBeGreaterThanOrEqual(least);
        for (let asked = 0; asked < 50; asked += 1) {
          const response = await fetch(`http://127.0.0.1:${port}/`);
          expect(await response.text()).toBe("ok");
          expect(running(word).length).toBeLessThan(BOUNDS.maxProcesses);
        }
        expect(running(word).length).toBeGreaterThan(0);
      });
      await expect.poll(() => running(word), SOON).toEqual([]);
    } finally {
      bury(word);
      server.close();
    }
  });
});

/** Each takes less than a process may, and all together more than the session. */
const HOARD = `for i in {1..8}; do perl -e '$x = "a" x (40 << 20); sleep 600' & done; wait -n; echo "ended with $?"; kill $(jobs -p)`;

describe.skipIf(missing !== null || gap !== null)("T53 memory", () => {
  it("is held for all processes of a session together, and the session goes on", async () => {
    expect((await walled.run(HOARD)).output).toContain("ended with 137");
    expect((await walled.run("echo still here")).output).toContain("still here\n");
  });

  it("counts what lies in /tmp", async () => {
    const write = "head -c 50000000 /dev/zero >$TMPDIR/a && head -c 50000000 /dev/zero >/dev/shm/b";
    const hold = `perl -e '$x = "a" x (60 << 20); print "held"'`;
    expect((await walled.run(`${write} && echo written`)).output).toBe("written\n");
    expect((await walled.run(hold)).exit_code).toBe(137);
    await walled.end();
    expect((await walled.run(hold)).output).toBe("held");
  });
});

it.skipIf(missing !== null)("T53 a single allocation beyond all memory dies", async () => {
  const { exit_code: code, output } = await walled.run(`perl -e '$x = "a" x 64e9; print "held"'`);
  expect([code === 0, output.includes("held")]).toEqual([false, false]);
});
