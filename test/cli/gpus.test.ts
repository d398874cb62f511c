import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gpuLines } from "../../src/cli/gpus.ts";
import type { Line } from "../../src/cli/printer.ts";
import type { GpuView, LaneView, ResidencyView } from "../../src/core/box-api.ts";
import { runLine } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

const NOW = 1_700_000_000_000;
const GIB = 1024 ** 3;

const LANE: LaneView = {
  backend: "ollama",
  profile: "qwen3:8b@16384",
  provider: "ollama",
  gpu: "gpu0",
  residency: "resident",
  slots: 2,
  slotsAuto: true,
  slotsReason: "4 of them were slower",
  maxChildren: 6,
  leases: [{ leaseId: "lease_1", taskId: "task_aaaaaaaabbbb", class: "background", heldMs: 12_000 }],
  places: ["task_aaaaaaaabbbb"],
  waiting: [
    {
      taskId: "task_ccccccccdddd",
      wants: "lease",
      class: "interactive",
      position: 1,
      waitedMs: 61_000,
      reason: "both slots of qwen3:8b are held",
    },
  ],
};
const MODEL: ResidencyView = {
  backend: "ollama",
  profile: "llama3:70b@8192",
  model: "llama3:70b",
  state: "absent",
  phase: "backing_off",
  since: NOW - 30_000,
  inFlight: 0,
  vramBytes: 0,
  loadMs: 4_200,
  failures: 2,
  problem: { code: "out_of_memory", message: "the server said \u001b[31mno" },
  retryAt: NOW + 10_000,
};
const GPU: GpuView = { gpu: "gpu0", backends: [LANE], loaded: [], residency: [MODEL], outages: [] };

function textOf(lines: readonly Line[]): string {
  const plain = (line: Line): string =>
    typeof line === "string"
      ? line
      : line.map((span) => (typeof span === "string" ? span : span[1])).join("");
  return lines.map(plain).join("\n");
}

describe("the lines of a GPU", () => {
  test("say who holds a slot, who waits and why, and how its lanes stand", () => {
    const text = textOf(gpuLines(GPU, NOW));
    expect(text).toMatch(/^gpu0 {2}1 generation under way, 1 task waiting$/m);
    expect(text).toMatch(/^ollama +qwen3:8b@16384 +2 +1 +1 of 6 +1 +auto: 4 of them were slower$/m);
    expect(text).toMatch(/slot +background +- +12s +generates on qwen3:8b@16384$/m);
    expect(text).toMatch(/waits: slot +interactive +1 +1m +both slots of qwen3:8b are held$/m);
  });

  test("say why a model is not there, and what others have loaded", () => {
    const other = { model: "theirs", sizeBytes: GIB, vramBytes: 2 * GIB, contextTokens: null, foreign: true };
    const mine = { ...other, model: "llama3:70b", foreign: false };
    const text = textOf(gpuLines({ ...GPU, loaded: [other, mine] }, NOW));
    expect(text).toMatch(
      /^ollama llama3:70b@8192 +absent +30s +- +0 +4\.2 s +backing_off, out_of_memory: the server said/m,
    );
    expect(text).toMatch(/^theirs +loaded +2\.0 GiB +somebody else loaded it$/m);
    expect(text.match(/llama3:70b/g)).toHaveLength(1);
  });

  test("name a server that is away, since when, and how many tasks wait for it", () => {
    const outage = {
      backend: "ollama",
      since: NOW - 120_000,
      held: 3,
      message: "http://gpu:11434 does not answer.",
    };
    expect(textOf(gpuLines({ ...GPU, outages: [outage] }, NOW))).toContain(
      "away http://gpu:11434 does not answer. For 2m; 3 tasks held.",
    );
  });

  test("show a loaded model where nothing is loaded at our command", () => {
    const loaded = [{ model: "sim", sizeBytes: GIB, vramBytes: GIB, contextTokens: null, foreign: false }];
    expect(textOf(gpuLines({ ...GPU, residency: [], loaded }, NOW))).toMatch(/^sim +loaded +1\.0 GiB *$/m);
  });
});

describe("troupe gpus", () => {
  let served: ServedRig;
  beforeAll(async () => {
    served = await serveScripted();
  });
  afterAll(() => served.close());

  test("asks the server, for people and as JSON", async () => {
    const people = served.terminal();
    expect(await runLine(["gpus"], people)).toBe(0);
    expect(people.out).toMatch(/^gpu0 {2}0 generations under way, 0 tasks waiting\nLANE +PROFILE +SLOTS/);
    const json = served.terminal();
    expect(await runLine(["gpus", "--json"], json)).toBe(0);
    expect(JSON.parse(json.out)).toMatchObject({ items: [{ gpu: "gpu0", backends: [{ slots: 8 }] }] });
  });
});
