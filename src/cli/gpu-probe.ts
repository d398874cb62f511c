// What `nvidia-smi` says of the GPUs of this machine. It is asked once and for a few seconds at most, hung drivers
// included; where it is absent or fails, nothing is known, and that is all that is said.
//
// G1. It gets the few variables that it needs, never a token or a key.
// G2. The answer comes within `ASK_MS`, also when the program cannot be ended.

import { execFile } from "node:child_process";
import type { Clock } from "../base/clock.ts";
import type { Environment } from "../config/load.ts";

export interface Gpu {
  readonly index: number;
  readonly name: string;
  /** Bytes; `null` where the driver does not tell (memory shared with the CPU). */
  readonly memoryBytes: number | null;
  readonly usedBytes: number | null;
  readonly driver: string;
}

export interface GpuAnswer {
  readonly gpus: readonly Gpu[];
  /** Why nothing is known; `null` when it answered. */
  readonly problem: string | null;
}

const ASK_MS = 3_000;
/** What finding and loading the program takes. */
const PASSED_ON = ["PATH", "LD_LIBRARY_PATH", "HOME", "SystemRoot"] as const;
const MIB = 1_048_576;
const QUERY = "index,name,memory.total,memory.used,driver_version";

function mebibytes(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) * MIB : null;
}

/** Contract: never throws; lines that are not understood are left out. */
export function parseGpus(csv: string): readonly Gpu[] {
  return csv.split("\n").flatMap((line) => {
    const cells = line.split(",").map((cell) => cell.trim());
    const [index, name, total, used, driver] = cells;
    if (cells.length !== 5 || !/^\d+$/.test(index ?? "") || !name) return [];
    return [
      {
        index: Number(index),
        name,
        memoryBytes: mebibytes(total),
        usedBytes: mebibytes(used),
        driver: driver ?? "",
      },
    ];
  });
}

function failed(why: string): GpuAnswer {
  return { gpus: [], problem: `nvidia-smi failed: ${why}` };
}

/** Contract: never throws, and answers within three seconds of `clock`. `env` says where programs are found. */
export function probeGpus(env: Environment, clock: Clock): Promise<GpuAnswer> {
  const args = [`--query-gpu=${QUERY}`, "--format=csv,noheader,nounits"];
  // Keeps G1.
  const own = Object.fromEntries(
    PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  return new Promise((resolve) => {
    const child = execFile("nvidia-smi", args, { env: own }, (error, stdout, stderr) => {
      late.cancel();
      if (error === null) resolve({ gpus: parseGpus(stdout), problem: null });
      else if (error.code === "ENOENT") resolve({ gpus: [], problem: "nvidia-smi is not installed" });
      else {
        const said = `${stdout}\n${stderr}`.split("\n").find((line) => line.trim() !== "");
        resolve(failed(said ?? error.message));
      }
    });
    // Keeps G2: one that waits for a hung driver does not die, and what it started may hold its output open.
    const late = clock.after(ASK_MS, () => {
      resolve(failed(`no answer within ${ASK_MS / 1000} s`));
      child.kill("SIGKILL");
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
    });
  });
}

/**
 * The memory that one model server may count on.
 * Contract: never throws; `null` when unknown. `servers` is how many servers share the GPUs, one each: then it is the
 * smallest GPU, otherwise one server spreads a model over all of them.
 */
export function serverMemory(gpus: readonly Gpu[], servers: number): number | null {
  const sizes = gpus.flatMap(({ memoryBytes }) => (memoryBytes === null ? [] : [memoryBytes]));
  if (sizes.length === 0 || sizes.length !== gpus.length) return null;
  return servers > 1 ? Math.min(...sizes) : sizes.reduce((sum, size) => sum + size, 0);
}
