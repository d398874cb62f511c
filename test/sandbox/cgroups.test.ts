// On groups of this machine's own kernel; where it allows this user none, there is nothing to hold.

import { existsSync, mkdirSync, readFileSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SimulatedClock, systemClock } from "../../src/base/clock.ts";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { outputOf, type ProcessHost } from "../../src/base/process.ts";
import { groupPrefix, ownerOf } from "../../src/sandbox/cgroup-plan.ts";
import { Cgroups } from "../../src/sandbox/cgroups.ts";
import { groupFolders, groupsNamed } from "./machine.ts";

const CAPS = { maxProcesses: 32, maxMemoryBytes: 64 * 2 ** 20, maxCpus: 1 };
const open = (processes: ProcessHost = nodeProcesses) =>
  Cgroups.open({ processes, clock: systemClock, caps: CAPS });

const tried = await open();
const none = "reason" in tried ? tried.reason : null;
if (none !== null) process.stderr.write(`no session is held as a whole here: ${none}\n`);
const SOON = { timeout: 60_000, interval: 20 };

const me = ownerOf(readFileSync("/proc/self/stat", "utf8"), readlinkSync("/proc/self/ns/pid"));
const mine = (): readonly string[] => groupsNamed(me === null ? "?" : groupPrefix(me));

describe.skipIf(none !== null)("Cgroups", () => {
  let groups: Cgroups;
  beforeEach(async () => {
    groups = (await open()) as Cgroups;
  });
  afterEach(() => groups.settle());

  const result = async (script: string) => {
    const process = await groups.start({ argv: ["bash", "-c", script], env: {} });
    return outputOf(process, { maxBytes: 10_000 });
  };

  it("C1 holds the processes of a program all together", async () => {
    const burst = `perl -e 'for (1..60) { my $p = fork; last unless defined $p; exec "sleep", "600" unless $p; push @p, $p } print scalar @p; kill 9, @p'`;
    expect(Number((await result(burst)).stdout)).toBeLessThan(32);
    const bare = await nodeProcesses.run(["bash", "-c", burst], { env: {}, maxBytes: 1_000 });
    expect(bare.stdout).toBe("60");
  });

  it("C1 holds the memory of a program all together: what each could have alone", async () => {
    // Four times 24 MiB, each kept until all are there.
    const one = `perl -e '$x = "a" x (24 << 20); print "held\\n"; sleep 600'`;
    const all = `for i in 1 2 3 4; do ${one} & done; wait -n; echo killed; kill $(jobs -p); wait`;
    expect((await result(all)).stdout).toContain("killed");
  });

  it("C1 runs nothing that could not be put into its groups, and nothing of a shell's variables gets in", async () => {
    const swapped: ProcessHost = {
      ...nodeProcesses,
      start: (spec) => {
        const argv = spec.argv.map((word) => (word.includes("/troupe-") ? `${word}-gone` : word));
        return nodeProcesses.start({ ...spec, argv: argv as unknown as typeof spec.argv });
      },
    };
    const broken = (await open(swapped)) as Cgroups;
    const process = await broken.start({ argv: ["echo", "ran"], env: {} });
    const { code, stdout, stderr } = await outputOf(process, { maxBytes: 1_000 });
    expect([code, stdout]).toEqual([71, ""]);
    expect(stderr).toContain("could not be put under its bounds");
    expect((await result("tr '\\0' '\\n' </proc/$$/environ")).stdout).toBe("");
    await broken.settle();
  });

  it("C2 removes what held a session when that has ended, and when it never began", async () => {
    const process = await groups.start({ argv: ["sleep", "600"], env: {} });
    expect(mine().length).toBeGreaterThan(0);
    process.kill();
    await process.exited;
    await expect.poll(mine, SOON).toEqual([]);
    const refusing: ProcessHost = { ...nodeProcesses, start: () => Promise.reject(new Error("ENOENT")) };
    const other = (await open(refusing)) as Cgroups;
    await expect(other.start({ argv: ["true"], env: {} })).rejects.toThrow("ENOENT");
    await expect.poll(mine, SOON).toEqual([]);
  });

  it("C2 C3 clears what a dead server left, and nothing of a living one or of somebody else", async () => {
    const [folder = ""] = groupFolders();
    const owner = me ?? { namespace: "0", pid: 0, began: "0" };
    const left = join(folder, `${groupPrefix({ ...owner, began: "1" })}aaaaaa`);
    const kept = [owner, { ...owner, began: "1", namespace: "1" }].map((each) =>
      join(folder, `${groupPrefix(each)}bbbbbb`),
    );
    for (const group of [left, ...kept]) mkdirSync(group);
    const next = (await open()) as Cgroups;
    await next.settle();
    expect([existsSync(left), ...kept.map(existsSync)]).toEqual([false, true, true]);
    for (const group of kept) rmdirSync(group);
  });
});

it("says why there are none where the kernel refuses the trial", async () => {
  const run: ProcessHost["run"] = async () => ({
    code: 71,
    stdout: "",
    stderr: "no leave",
    truncated: false,
  });
  const processes = { ...nodeProcesses, run };
  const clock = new SimulatedClock();
  const found = await Cgroups.open({ processes, clock, caps: CAPS });
  expect(found).toEqual({ reason: expect.stringMatching(none === null ? /no leave/ : /./) as string });
  await expect.poll(mine, SOON).toEqual([]);
});
