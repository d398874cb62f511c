import { expect, test } from "vitest";
import type { KeyView, ProviderView, ResidencyView } from "../../../src/core/box-api.ts";
import { needsOf, type BoxSight } from "../../../src/cli/top/needs.ts";
import { gpuOf, nodeOf, NOW, STATUS } from "./nodes.ts";

const EMPTY: BoxSight = { nodes: [], gpus: [], providers: [], status: STATUS };
const texts = (sight: Partial<BoxSight>): readonly string[] =>
  needsOf({ ...EMPTY, ...sight }).map(({ text }) => text);

test("a task that waits for a person is one at any depth; a session that waits for its next message is none", () => {
  const asks = nodeOf("b", { phase: "waiting_input", lastLine: "Which of the two?" });
  const session = nodeOf("a", { kind: "session", phase: "waiting_input", children: [asks] });
  expect(needsOf({ ...EMPTY, nodes: [session] })).toEqual([
    { taskId: asks.taskId, text: "task_bbbbbbbb waits for a person: Which of the two?" },
  ]);
  const waitsFor = "a person: Allow it?";
  const call = nodeOf("c", { kind: "session", phase: "waiting_input", lastLine: "x", waitsFor });
  expect(texts({ nodes: [call] })).toEqual(["task_cccccccc waits for a person: Allow it?"]);
  const child = nodeOf("d", { phase: "waiting_input", waitsFor: "its parent or a person: Which?" });
  expect(texts({ nodes: [child] })).toEqual(["task_dddddddd waits for a person: Which?"]);
});

test("so are lost keys, servers that do not answer, models that no time brings back, and a pause", () => {
  const key = {
    fingerprint: "k1",
    source: "env:KEY",
    reason: "refused",
    until: null,
    inFlight: 0,
    concurrency: null,
    models: [],
  };
  const provider: ProviderView = {
    provider: "cloud",
    type: "openai",
    baseUrl: "https://x",
    reachable: false,
    version: null,
    problem: "no route",
    simulated: false,
    models: [],
    keys: [
      { ...key, state: "dead" },
      { ...key, state: "exhausted", until: NOW },
      { ...key, state: "ready" },
    ] satisfies KeyView[],
  };
  const residency: ResidencyView = {
    backend: "ollama",
    profile: "qwen3:8b@16384",
    model: "qwen3:8b",
    state: "absent",
    phase: "wedged",
    since: NOW,
    inFlight: 0,
    vramBytes: 0,
    loadMs: null,
    failures: 3,
    problem: { code: "x", message: "it does not load" },
    retryAt: null,
  };
  expect(texts({ providers: [provider], gpus: [gpuOf("gpu0", [], { residency: [residency] })] })).toEqual([
    "cloud does not answer: no route",
    "key k1 of cloud is dead: refused",
    "qwen3:8b@16384 is wedged: it does not load",
  ]);
  expect(texts({ status: { ...STATUS, unsafe: ["without walls"] } })).toEqual(["without walls"]);
  expect(texts({ status: { ...STATUS, paused: true } })).toEqual([
    "spawning is paused: new tasks wait until p is pressed",
  ]);
});
