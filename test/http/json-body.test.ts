import { describe, expect, it } from "vitest";
import { readJson } from "../../src/http/json-body.ts";

const post = (body: BodyInit | null, headers: Record<string, string> = {}): Request =>
  new Request("http://localhost/", {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
    duplex: "half",
  } as RequestInit);

const codeOf = (request: Request, maxBytes = 10_000_000): Promise<unknown> =>
  readJson(request, maxBytes).then(
    () => "accepted",
    (thrown: { code: unknown }) => thrown.code,
  );

/** A body that never ends by itself; counts what was taken. */
function endless(): { readonly stream: ReadableStream<Uint8Array>; taken: number; cancelled: boolean } {
  const state = {
    taken: 0,
    cancelled: false,
    stream: new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          state.taken += 1024;
          controller.enqueue(new Uint8Array(1024).fill(32));
        },
        cancel() {
          state.cancelled = true;
        },
      },
      { highWaterMark: 0 },
    ),
  };
  return state;
}

describe("readJson", () => {
  it("reads JSON of any kind, and no body as undefined", async () => {
    expect(await readJson(post('{"a":[1,null,"ü👋"]}'), 100)).toEqual({ a: [1, null, "ü👋"] });
    expect(await readJson(post(null), 100)).toBeUndefined();
    expect(await readJson(post(""), 100)).toBeUndefined();
  });

  it("J1 stops an endless body at the cap and closes it", async () => {
    const body = endless();
    expect(await codeOf(post(body.stream), 10_000)).toBe("body_too_large");
    expect(body.taken).toBeLessThanOrEqual(11 * 1024);
    expect(body.cancelled).toBe(true);
  });

  it("J1 counts bytes, not characters, and does not believe Content-Length", async () => {
    expect(await codeOf(post(`"${"é".repeat(60)}"`), 100)).toBe("body_too_large");
    expect(await codeOf(post("[1]", { "content-length": "101" }), 100)).toBe("body_too_large");
    expect(await codeOf(post(" ".repeat(99) + "1"), 100)).toBe("accepted");
  });

  it.each([
    ["text/plain", {}],
    ["application/x-www-form-urlencoded", {}],
    ["multipart/form-data; boundary=x", {}],
    ["application/jsonp", {}],
    ["text/json", {}],
    ["", {}],
    ["application/json; charset=utf-16", {}],
    ["application/json", { "content-encoding": "gzip" }],
  ])("T08 refuses the type %j %o", async (type, more) => {
    expect(await codeOf(post("{}", { "content-type": type, ...more }))).toBe("unsupported_media_type");
  });

  it.each([
    "application/json",
    "Application/JSON",
    'application/json; charset="UTF-8"',
    "application/json;charset=utf-8",
  ])("takes the type %j", async (type) => {
    expect(await codeOf(post("{}", { "content-type": type }))).toBe("accepted");
  });

  it.each(["{", "{a:1}", "[1,]", "NaN", "{}{}", "'a'", "\uFEFF1x", "undefined"])(
    "refuses malformed JSON: %s",
    async (text) => {
      expect(await codeOf(post(text))).toBe("malformed_json");
    },
  );

  it("a body that breaks off is called off by its sender, and no defect", async () => {
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls += 1;
        if (pulls > 1) controller.error(new TypeError("terminated"));
        else controller.enqueue(new TextEncoder().encode('{"goal":'));
      },
    });
    await expect(readJson(post(body), 100)).rejects.toMatchObject({ kind: "cancelled" });
  });

  it("refuses bytes that are no UTF-8", async () => {
    expect(await codeOf(post(new Uint8Array([0x22, 0xff, 0x22])))).toBe("malformed_json");
  });

  it.each([
    ["__proto__", '{"__proto__":{"polluted":true}}'],
    ["__proto__ deep inside", '{"a":[{"b":{"__proto__":1}}]}'],
    ["__proto__ in disguise", '{"\\u005f_proto__":1}'],
    ["depth 65", `${"[".repeat(65)}${"]".repeat(65)}`],
    ["depth 10,000", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`],
    ["depth 300,000", `${"[".repeat(300_000)}${"]".repeat(300_000)}`],
    ["1e400", '{"a":1e400}'],
    ["-1e400", "[-1e400]"],
    ["a lone surrogate", '{"a":"\\ud800"}'],
    ["a lone surrogate as a key", '{"\\udfff":1}'],
  ])("T18 refuses %s", async (_what, text) => {
    expect(await codeOf(post(text))).toMatch(/^(unsafe|malformed)_json$/);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("T18 of duplicate keys the last one counts, and constructor is a key like any other", async () => {
    expect(await readJson(post('{"a":1,"a":2}'), 100)).toEqual({ a: 2 });
    expect(await codeOf(post('{"constructor":{"prototype":{"polluted":true}}}'))).toBe("accepted");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("J2 takes 64 levels", async () => {
    expect(await codeOf(post(`${"[".repeat(64)}${"]".repeat(64)}`))).toBe("accepted");
  });
});
