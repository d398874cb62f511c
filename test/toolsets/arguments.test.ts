import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ToolError } from "../../src/base/errors.ts";
import type { ToolDefinition } from "../../src/core/tool.ts";
import { checkArguments, checkJson } from "../../src/toolsets/arguments.ts";

const tool: ToolDefinition = {
  name: "work",
  description: "",
  parameters: {
    type: "object",
    properties: {
      goal: { type: "string", minLength: 1, maxLength: 20 },
      count: { type: "integer", minimum: 1, maximum: 9 },
      share: { type: "number" },
      deep: { type: "boolean" },
      kind: { enum: ["leaf", "orchestrator"] },
      names: { type: "array", items: { type: "string" }, maxItems: 3 },
      tasks: {
        type: "array",
        items: {
          type: "object",
          properties: { goal: { type: "string" }, turns: { type: "integer" } },
          required: ["goal"],
          additionalProperties: false,
        },
      },
      schema: { type: "object" },
    },
    required: ["goal"],
    additionalProperties: false,
  },
};

const check = (input: unknown) => checkArguments({ definition: tool }, input);

function refusal(input: unknown, over: ToolDefinition = tool): string {
  try {
    checkArguments({ definition: over }, input);
  } catch (error) {
    if (error instanceof ToolError && error.code === "bad_arguments") return error.message;
    throw error;
  }
  throw new Error("expected a refusal");
}

describe("checkArguments mends by type", () => {
  it.each([
    [
      { goal: "g", count: "5" },
      { goal: "g", count: 5 },
    ],
    [
      { goal: "g", count: 5.0 },
      { goal: "g", count: 5 },
    ],
    [
      { goal: "g", share: " 1.5e1 " },
      { goal: "g", share: 15 },
    ],
    [
      { goal: "g", deep: "True" },
      { goal: "g", deep: true },
    ],
    [
      { goal: "g", deep: "false" },
      { goal: "g", deep: false },
    ],
    [{ goal: 7 }, { goal: "7" }],
    [
      { goal: "g", names: "a" },
      { goal: "g", names: ["a"] },
    ],
    [
      { goal: "g", names: '["a","b"]' },
      { goal: "g", names: ["a", "b"] },
    ],
    [
      { goal: "g", schema: '{"type":"object"}' },
      { goal: "g", schema: { type: "object" } },
    ],
    [
      { goal: "g", tasks: { goal: "x" } },
      { goal: "g", tasks: [{ goal: "x" }] },
    ],
    [
      { goal: "g", tasks: '[{"goal": 1, "turns": "3"}]' },
      { goal: "g", tasks: [{ goal: "1", turns: 3 }] },
    ],
    [{ goal: "g", count: null, kind: null, names: null }, { goal: "g" }],
    [{ goal: "g", count: "", kind: "" }, { goal: "g" }],
    ['{"goal": "g", "count": "2"}', { goal: "g", count: 2 }],
  ])("%j becomes %j", (input, expected) => {
    expect(check(input)).toEqual(expected);
  });

  it("leaves what was given as it was", () => {
    const input = { goal: "g", count: "5", tasks: [{ goal: 1 }] };
    check(input);
    expect(input).toEqual({ goal: "g", count: "5", tasks: [{ goal: 1 }] });
  });

  it("takes nothing at all where everything is optional", () => {
    const optional = { ...tool, parameters: { type: "object", properties: { path: { type: "string" } } } };
    for (const input of [undefined, null, {}])
      expect(checkArguments({ definition: optional }, input)).toEqual({});
  });

  it("gives back valid arguments unchanged", () => {
    const valid = fc.record(
      {
        goal: fc.string({ minLength: 1, maxLength: 20 }),
        count: fc.integer({ min: 1, max: 9 }),
        deep: fc.boolean(),
        names: fc.array(fc.string(), { maxLength: 3 }),
      },
      { requiredKeys: ["goal"] },
    );
    fc.assert(
      fc.property(valid, (input) => {
        expect(check(input)).toEqual(input);
      }),
    );
  });

  it("answers any JSON with arguments or ToolError, never with anything else", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (input) => {
        let answer: unknown;
        try {
          answer = typeof check(input)["goal"];
        } catch (error) {
          answer = error instanceof ToolError;
        }
        expect([true, "string"]).toContain(answer);
      }),
    );
  });
});

describe("checkArguments refuses with expected and got", () => {
  it.each([
    [{}, "goal: expected a text, but it is missing"],
    [{ goal: "" }, "goal: expected at least 1 characters"],
    [{ goal: null }, "goal: expected a text, got null"],
    [{ goal: "x".repeat(21) }, "goal: expected at most 20 characters"],
    [{ goal: "g", count: "many" }, 'count: expected a number, got "many"'],
    [{ goal: "g", count: 1.5 }, "count: expected a whole number, got 1.5"],
    [{ goal: "g", count: 0 }, "count: expected at least 1, got 0"],
    [{ goal: "g", count: "99" }, "count: expected at most 9, got 99"],
    [{ goal: "g", deep: "yes" }, 'deep: expected true or false, got "yes"'],
    [{ goal: "g", kind: "boss" }, 'kind: expected one of "leaf", "orchestrator", got "boss"'],
    [{ goal: "g", names: ["a", "b", "c", "d"] }, "names: expected at most 3 items"],
    [{ goal: "g", gaol: 1 }, "gaol: not known; it takes goal, count"],
    [{ goal: "g", tasks: [{ gaol: "x" }] }, "tasks.0.goal: expected a text, but it is missing"],
    [{ goal: "g", schema: "{broken" }, "schema: expected an object"],
    ["not json", "the arguments: expected an object"],
    [[1], "the arguments: expected an object, got [1]"],
  ])("%j: %s", (input, expected) => {
    const message = refusal(input);
    expect(message).toContain("Bad arguments for work.");
    expect(message).toContain(expected);
  });

  it("says everything at once", () => {
    const message = refusal({ count: "x", deep: "y", zzz: 1 });
    for (const part of ["goal:", "count:", "deep:", "zzz:"]) expect(message).toContain(part);
  });

  it("prototype keys, without touching any prototype", () => {
    const input: unknown = JSON.parse('{"goal":"g","__proto__":{"polluted":true},"constructor":1}');
    expect(refusal(input)).toContain("not known");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("checkJson", () => {
  it("does not mend unless asked", () => {
    const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    expect(checkJson(schema, { n: "5" })).toEqual({
      ok: false,
      problems: ['n: expected a number, got "5"'],
    });
    expect(checkJson(schema, { n: 5 })).toEqual({ ok: true, value: { n: 5 } });
  });

  it("refuses schemas with expressions, and takes properties that are called pattern", () => {
    const slow = { type: "object", properties: { a: { type: "string", pattern: "(a+)+$" } } };
    expect(() => checkJson(slow, { a: "b" })).toThrow(/an expression could run for ever/);
    const named = { type: "object", properties: { pattern: { type: "string" } } };
    expect(checkJson(named, { pattern: "x" }).ok).toBe(true);
  });

  it("refuses what is no schema", () => {
    expect(() => checkJson({ type: "nonsense" }, 1)).toThrow(/Expected a JSON Schema/);
  });
});
