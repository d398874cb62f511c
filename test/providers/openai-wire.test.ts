import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import { ChatDecoder, chatParams, listedModel } from "../../providers/openai-wire.ts";
import { CallIds } from "../../providers/tool-calls.ts";
import { requestFor } from "./collect.ts";

const decoder = () => new ChatDecoder(new CallIds([], seededRandom(1)));
const delta = (fields: object, finish: string | null = null) => ({
  choices: [{ delta: fields, finish_reason: finish }],
});

describe("the request of chat completions", () => {
  it("limits the output by the name that the server takes", () => {
    expect(chatParams(requestFor("m"), "https://api.openai.com/v1")).toMatchObject({
      max_completion_tokens: 64,
    });
    const other = chatParams(requestFor("m"), "http://box/v1");
    expect(other).toMatchObject({ max_tokens: 64 });
    expect(other).not.toHaveProperty("max_completion_tokens");
  });
});

describe("the chunks of chat completions", () => {
  it("puts calls together by index, whatever their order, and gives them in the order of the index", () => {
    const each = decoder();
    const call = (index: number, fn: object, id?: string): void =>
      void each.events(delta({ tool_calls: [{ index, id, function: fn }] }));
    call(1, { name: "b", arguments: '{"b"' }, "call_bbbbbbbb");
    call(0, { name: "a", arguments: "" }, "call_aaaaaaaa");
    call(1, { arguments: ":2}" });
    call(0, { arguments: '{"a":1}' });
    expect(each.heldChars).toBe('{"b":2}{"a":1}'.length);
    expect(each.finish()).toMatchObject([
      { call: { id: "call_aaaaaaaa", name: "a", arguments: { a: 1 } } },
      { call: { id: "call_bbbbbbbb", name: "b", arguments: { b: 2 } } },
      { type: "finished", reason: "tool_calls" },
    ]);
  });

  it("takes arguments that came as an object", () => {
    const each = decoder();
    each.events(delta({ tool_calls: [{ index: 0, function: { name: "a", arguments: { a: 1 } } }] }));
    expect(each.finish()).toMatchObject([{ call: { arguments: { a: 1 } } }, {}]);
  });

  it.each([{ prompt_tokens_details: { cached_tokens: 4 } }, { prompt_cache_hit_tokens: 4 }])(
    "tells what of the prompt came from a cache: %j",
    (told) => {
      const each = decoder();
      each.events({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 7, ...told } });
      expect(each.finish()).toMatchObject([{ usage: { promptTokens: 5, cachedPromptTokens: 4 } }]);
    },
  );

  it("keeps the last usage that came, also beside a choice", () => {
    const each = decoder();
    each.events({ ...delta({ content: "x" }), usage: { prompt_tokens: 1, completion_tokens: 1 } });
    each.events({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 7 } });
    each.events({ choices: [], usage: null });
    expect(each.finish()).toMatchObject([{ usage: { promptTokens: 5, outputTokens: 7, totalMs: 0 } }]);
  });

  it("remembers how the server said that it ended", () => {
    const each = decoder();
    expect(each.finishReason).toBeNull();
    each.events(delta({}, "length"));
    each.events(delta({}));
    expect(each.finishReason).toBe("length");
    expect(each.finish()).toMatchObject([{ reason: "length" }]);
  });

  it("shows a refusal as text, and makes nothing of odd chunks", () => {
    expect(decoder().events(delta({ refusal: "I will not." }))).toEqual([
      { type: "text", text: "I will not." },
    ]);
    for (const odd of [null, 1, [], {}, { choices: 3 }, delta({ tool_calls: "x" })]) {
      expect(decoder().events(odd)).toEqual([]);
    }
  });
});

describe("the list of models", () => {
  it("assumes tools, since the protocol does not tell", () => {
    expect(listedModel({ id: "m" })).toMatchObject({ name: "m", tools: true, contextTokens: null });
    expect(listedModel(null)).toMatchObject({ name: "" });
  });
});
