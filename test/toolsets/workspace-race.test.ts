import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ToolError } from "../../src/base/errors.ts";
import { Workspace } from "../../src/toolsets/workspace.ts";

const ROUNDS = 2_000;
/** Where the naive way escapes once in 200 tries, it does so long before. */
const MOST_ROUNDS = 60_000;

/** Swaps `link` between a file inside and one outside, as fast as it can, by renames. */
const SWAPPER = `
const { renameSync, symlinkSync } = require("node:fs");
const { workerData } = require("node:worker_threads");
const { link, inside, outside, state } = workerData;
for (let turn = 0; Atomics.load(state, 0) === 0; turn++) {
  symlinkSync(turn % 2 === 0 ? outside : inside, link + ".new");
  renameSync(link + ".new", link);
  Atomics.add(state, 1, 1);
}
`;

let base: string;
let workspace: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "troupe-race-"));
  workspace = join(base, "workspace");
  mkdirSync(workspace);
  writeFileSync(join(workspace, "inside.txt"), "fine");
  writeFileSync(join(base, "secret.txt"), "SECRET");
  symlinkSync(join(workspace, "inside.txt"), join(workspace, "link"));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** What a careful but wrong reader does: check the path, then open it. */
async function naiveRead(path: string): Promise<string> {
  const real = await realpath(path);
  if (!real.startsWith(`${workspace}/`)) return "refused";
  return readFile(path, "utf8");
}

async function ourRead(path: string): Promise<string> {
  try {
    return await new Workspace(workspace).withFile(path, ({ handle }) => handle.readFile("utf8"));
  } catch (error) {
    if (error instanceof ToolError && error.code === "outside_workspace") return "refused";
    throw error;
  }
}

describe("W1 under a link that is swapped all the time", () => {
  it("never escapes in the race in which checking first does", async () => {
    const state = new Int32Array(new SharedArrayBuffer(8));
    const workerData = {
      link: join(workspace, "link"),
      inside: join(workspace, "inside.txt"),
      outside: join(base, "secret.txt"),
      state,
    };
    const worker = new Worker(SWAPPER, { eval: true, workerData });
    const ours = new Map<string, number>();
    let naiveEscapes = 0;
    let rounds = 0;
    for (; rounds < MOST_ROUNDS && (rounds < ROUNDS || naiveEscapes === 0); rounds++) {
      if ((await naiveRead(join(workspace, "link"))) === "SECRET") naiveEscapes++;
      const got = await ourRead("link");
      ours.set(got, (ours.get(got) ?? 0) + 1);
    }
    Atomics.store(state, 0, 1);
    await worker.terminate();
    expect(naiveEscapes).toBeGreaterThan(0);
    expect(Atomics.load(state, 1)).toBeGreaterThan(100);
    expect([...ours.keys()].toSorted()).toEqual(["fine", "refused"]);
  }, 60_000);
});
