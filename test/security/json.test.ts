// T18: JSON that does something to who reads it, at every operation that takes a body; beside it a server that merges
// what it is sent into what it has, as many do.

import { afterEach, describe, expect, it } from "vitest";
import { rig, type Rig } from "../http/rig.ts";
import { documentOf, operationsOf } from "./openapi-document.ts";

let box: Rig | null = null;
afterEach(() => box?.close());

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
/** Each a value for `goal` or beside it, or a whole body. */
const HOSTILE: Readonly<Record<string, string>> = {
  "a prototype": '{"goal":"x","__proto__":{"polluted":true}}',
  "a prototype in disguise": '{"goal":"x","\\u005f\\u005fproto__":{"polluted":true}}',
  "a constructor's prototype": '{"goal":"x","constructor":{"prototype":{"polluted":true}}}',
  "a prototype below a schema": '{"goal":"x","output_schema":{"__proto__":{"polluted":true}}}',
  "10,000 levels": `{"goal":"x","output_schema":${deep(10_000)}}`,
  "20,000 levels and nothing else": deep(20_000),
  "a number too large": '{"goal":"x","max_turns":1e400}',
  "half a character": '{"goal":"\\ud800"}',
  "half a character as a key": '{"goal":"x","\\udc00":1}',
  "an array for a body": '[{"goal":"x"}]',
  "a text for a body": '"{\\"goal\\":\\"x\\"}"',
  "two bodies": '{"goal":"x"}{"goal":"y"}',
  "an array with holes": '{"goal":"x","toolsets":[,"file"]}',
};

const isPolluted = (): boolean => ({} as Record<string, unknown>)["polluted"] !== undefined;

/** What merges do that know nothing of prototypes. */
function naiveMerge(target: Record<string, unknown>, source: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(source)) {
    if (typeof value !== "object" || value === null) target[key] = value;
    else naiveMerge((target[key] ??= {}) as Record<string, unknown>, value as Record<string, unknown>);
  }
}

describe("T18 hostile JSON", () => {
  it.each(Object.keys(HOSTILE))("%s is 400 wherever a body is taken, and changes nothing", async (name) => {
    box = await rig();
    const taking = operationsOf(await documentOf(box)).filter((operation) => "requestBody" in operation);
    expect(taking.length).toBeGreaterThan(8);
    for (const { method, path, operationId } of taking) {
      const response = await box.request(path.replaceAll(/\{\w+\}/g, "none"), {
        method,
        body: HOSTILE[name] ?? "",
        headers: { "content-type": "application/json" },
      });
      await response.body?.cancel();
      expect([operationId, response.status]).toEqual([operationId, 400]);
    }
    expect([isPolluted(), (await box.api.list()).items]).toEqual([false, []]);
  });

  it("of duplicate keys the last one counts, for everybody", async () => {
    box = await rig();
    const response = await box.request("/v1/tasks", {
      method: "POST",
      body: '{"goal":"first","goal":"second"}',
      headers: { "content-type": "application/json" },
    });
    expect(response.status).toBe(202);
    expect((await box.api.list()).items.map(({ goal }) => goal)).toEqual(["second"]);
  });

  it("(control) a server that merges a body into what it has is changed for everybody", () => {
    try {
      naiveMerge({}, JSON.parse(HOSTILE["a prototype"] ?? "") as Record<string, unknown>);
      expect(isPolluted()).toBe(true);
    } finally {
      delete (Object.prototype as Record<string, unknown>)["polluted"];
    }
  });
});
