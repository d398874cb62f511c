import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { vramOf } from "../../src/cli/machine-memory.ts";
import { ScriptedTerminal, worldFor } from "./scripted-terminal.ts";

const GPUS = [10, 20].map((memoryBytes, index) => ({
  index,
  name: "c",
  memoryBytes,
  usedBytes: 0,
  driver: "",
}));

test.each([
  ["the Ollama of this machine uses all cards", "", 30],
  [
    "two servers with a card each have the smaller one",
    "providers: {a: {type: ollama, base_url: 'http://127.0.0.1:1'}, b: {type: ollama, base_url: 'http://127.0.0.1:2'}}\ngpus: [{id: g0, provider: a}, {id: g1, provider: b}]",
    10,
  ],
  [
    "an Ollama on another machine has other cards",
    "providers: {a: {type: ollama, base_url: 'http://192.0.2.1:11434'}}",
    null,
  ],
  ["a cloud has none of them", "providers: {a: {type: openai, api_key: 'env:KEY'}}", null],
  [
    "a cloud beside the local server changes nothing",
    "providers: {a: {type: ollama}, b: {type: openai, api_key: 'env:KEY'}}",
    30,
  ],
])("%s", (_, text, bytes) => {
  const loaded = { config: parseConfig(text, "config.yaml"), file: null, baseDir: "/" };
  expect(vramOf(loaded, { gpus: GPUS, problem: null }, worldFor(new ScriptedTerminal()))).toBe(bytes);
});
