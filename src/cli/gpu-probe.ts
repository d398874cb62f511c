// What `nvidia-smi` says of the GPUs of this machine. It is asked once and for a few seconds at most; where it is
// absent or fails, nothing is known, and that is all that is said.

import { execFile } from "node:child_process";
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

const ASK_MS = 5_000;
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

/** Contract: never throws. `env` says where programs are found. */
export function probeGpus(env: Environment): Promise<GpuAnswer> {
  const args = [`--query-gpu=${QUERY}`, "--format=csv,noheader,nounits"];
  return new Promise((resolve) => {
    execFile("nvidia-smi", args, { timeout: ASK_MS, env: { ...env } }, (error, stdout, stderr) => {
      if (error === null) resolve({ gpus: parseGpus(stdout), problem: null });
      else if (error.code === "ENOENT") resolve({ gpus: [], problem: "nvidia-smi is not installed" });
      else {
        const said = `${stdout}\n${stderr}`.split("\n").find((line) => line.trim() !== "");
        resolve({ gpus: [], problem: `nvidia-smi failed: ${said ?? error.message}` });
      }
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
