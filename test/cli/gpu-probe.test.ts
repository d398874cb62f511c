import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SimulatedClock, systemClock } from "../../src/base/clock.ts";
import { parseGpus, probeGpus, serverMemory } from "../../src/cli/gpu-probe.ts";

const MIB = 1_048_576;

/** A folder with an `nvidia-smi` that does this. */
async function programs(script: string): Promise<{ PATH: string }> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-smi-"));
  const file = join(folder, "nvidia-smi");
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return { PATH: `${folder}:/usr/bin:/bin` };
}

describe("parsing", () => {
  test("takes what the driver tells and leaves out what it does not", () => {
    const text =
      "0, NVIDIA H100 80GB HBM3, 81559, 4, 550.54.15\n1, NVIDIA GB10, [N/A], [N/A], 580.1\nnonsense\n";
    expect(parseGpus(text)).toEqual([
      {
        index: 0,
        name: "NVIDIA H100 80GB HBM3",
        memoryBytes: 81_559 * MIB,
        usedBytes: 4 * MIB,
        driver: "550.54.15",
      },
      { index: 1, name: "NVIDIA GB10", memoryBytes: null, usedBytes: null, driver: "580.1" },
    ]);
  });
});

describe("asking", () => {
  test("gives the cards of an nvidia-smi that answers", async () => {
    const env = await programs("echo '0, Card, 1000, 10, 1.0'");
    expect(await probeGpus(env, systemClock)).toMatchObject({ gpus: [{ name: "Card" }], problem: null });
  });

  test("says that there is none", async () => {
    expect(await probeGpus({ PATH: "/nowhere" }, systemClock)).toEqual({
      gpus: [],
      problem: "nvidia-smi is not installed",
    });
  });

  test("says what a failing one said", async () => {
    const env = await programs("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18");
    expect((await probeGpus(env, systemClock)).problem).toMatch(
      /^nvidia-smi failed: Failed to initialize NVML/,
    );
  });

  test("G1 passes on where programs and libraries are, and nothing else", async () => {
    const env = await programs('echo "[$TROUPE_TOKEN$OPENAI_API_KEY] $LD_LIBRARY_PATH"; exit 1');
    const all = { ...env, TROUPE_TOKEN: "t", OPENAI_API_KEY: "k", LD_LIBRARY_PATH: "/cuda" };
    expect((await probeGpus(all, systemClock)).problem).toBe("nvidia-smi failed: [] /cuda");
  });

  test.each([
    ["does not end when it is asked to", "trap '' TERM; exec sleep 20"],
    ["leaves its output to another process", "sleep 20 & sleep 20"],
  ])("G2 answers after three seconds about one that %s", async (_, script) => {
    const clock = new SimulatedClock();
    const asked = probeGpus(await programs(script), clock);
    await clock.advance(3_000);
    expect(await asked).toEqual({ gpus: [], problem: "nvidia-smi failed: no answer within 3 s" });
    expect(clock.pending).toBe(0);
  });
});

test("the memory for one server is that of all cards, for several the smallest, and unknown when one is", () => {
  const card = (memoryBytes: number | null) => ({
    index: 0,
    name: "c",
    memoryBytes,
    usedBytes: 0,
    driver: "",
  });
  expect(serverMemory([card(10), card(20)], 0)).toBe(30);
  expect(serverMemory([card(10), card(20)], 2)).toBe(10);
  expect(serverMemory([card(10), card(null)], 1)).toBeNull();
  expect(serverMemory([], 1)).toBeNull();
});
