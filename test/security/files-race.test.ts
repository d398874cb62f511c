// T39: a folder and a file that are swapped for links to the outside, as fast as one can, while they are written.
// 2,000 tries here; TROUPE_SWAPS=20000 for the whole attack.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, it } from "vitest";
import { codeOf } from "../toolsets/file-fixture.ts";
import { checkedWrite } from "./file-naive.ts";

const ROUNDS = Number(process.env["TROUPE_SWAPS"] ?? 2_000);
/** Where the naive way escapes once in 200 tries, it does so long before. */
const MOST_ROUNDS = Math.max(ROUNDS, 60_000);

/** Swaps each of `names` between a thing inside and a link to the outside. */
const SWAPPER = `
const { renameSync, symlinkSync } = require("node:fs");
const { workerData } = require("node:worker_threads");
const { folder, outside, state } = workerData;
const swap = (name, target) => {
  const fresh = folder + "/swap.new";
  symlinkSync(target, fresh);
  renameSync(fresh, folder + "/" + name);
};
for (let turn = 0; Atomics.load(state, 0) === 0; turn++) {
  swap("dir", turn % 2 === 0 ? outside : folder + "/real");
  swap("file.txt", turn % 2 === 0 ? outside + "/secret.txt" : folder + "/real/other.txt");
  Atomics.add(state, 1, 1);
}
`;

let base: string;
let workspace: string;
let outside: string;
let state: Int32Array<SharedArrayBuffer>;
let worker: Worker;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "troupe-write-race-")));
  workspace = join(base, "workspace");
  outside = join(base, "outside");
  for (const folder of [workspace, outside, join(workspace, "real")]) mkdirSync(folder);
  writeFileSync(join(workspace, "real/other.txt"), "fine");
  writeFileSync(join(outside, "secret.txt"), "SECRET");
  symlinkSync(join(workspace, "real"), join(workspace, "dir"));
  symlinkSync(join(workspace, "real/other.txt"), join(workspace, "file.txt"));
  state = new Int32Array(new SharedArrayBuffer(8));
  worker = new Worker(SWAPPER, { eval: true, workerData: { folder: workspace, outside, state } });
});
afterEach(async () => {
  Atomics.store(state, 0, 1);
  await worker.terminate();
  rmSync(base, { recursive: true, force: true });
});

/** Whether anything outside is not as it was; puts it right again. */
function escaped(): boolean {
  const names = readdirSync(outside);
  const untouched =
    names.join() === "secret.txt" && readFileSync(join(outside, "secret.txt"), "utf8") === "SECRET";
  if (untouched) return false;
  for (const name of names) rmSync(join(outside, name), { recursive: true });
  writeFileSync(join(outside, "secret.txt"), "SECRET");
  return true;
}

it("T39 control: checking first and writing then escapes", async () => {
  let escapes = 0;
  for (let round = 0; round < MOST_ROUNDS && escapes === 0; round++) {
    await checkedWrite(workspace, { path: "dir/x.txt", content: "pwned" }).catch(() => "refused");
    if (escaped()) escapes++;
  }
  expect(escapes).toBeGreaterThan(0);
}, 120_000);

it("T39 no write, move or delete escapes", async () => {
  const ends = new Map<string, number>();
  let escapes = 0;
  const attempts = [
    () =>
      codeOf(
        "write_file",
        { path: "dir/x.txt", content: `${Math.random()}`, if_version: "0" },
        { at: workspace },
      ),
    () => codeOf("write_file", { path: "dir/new/y.txt", content: "x" }, { at: workspace }),
    () => codeOf("write_file", { path: "file.txt", content: "pwned" }, { at: workspace }),
    () => codeOf("move_file", { from: "dir/new/y.txt", to: "dir/z.txt" }, { at: workspace }),
    () => codeOf("delete_file", { path: "dir/secret.txt", if_version: "0" }, { at: workspace }),
    () => codeOf("delete_file", { path: "dir/z.txt", if_version: "2d711642b726b044" }, { at: workspace }),
  ];
  // On a busy machine the race may begin late: it goes on until some led out and some did their work.
  const isRace = () => ["outside_workspace", "Made", "Moved"].every((end) => ends.has(end));
  for (let round = 0; round < ROUNDS || (round < MOST_ROUNDS && !isRace()); round++) {
    const attempt = attempts[round % attempts.length] as () => Promise<string>;
    const end = (await attempt()).replace(/^accepted: (\w+).*/s, "$1");
    ends.set(end, (ends.get(end) ?? 0) + 1);
    if (escaped()) escapes++;
  }
  expect(escapes).toBe(0);
  expect(isRace()).toBe(true);
  expect([...ends.keys()].filter((end) => end.startsWith("other"))).toEqual([]);
}, 600_000);
