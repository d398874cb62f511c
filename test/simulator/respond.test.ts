import { expect, test } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { clientGone, streamed } from "../../src/simulator/respond.ts";

const request = (signal?: AbortSignal) => new Request("http://x/", signal ? { signal } : {});
const options = (client = clientGone(request())) => ({
  contentType: "application/x-ndjson",
  client,
  onError: (error: unknown) => `failed: ${String(error)}`,
});

async function* pieces(...all: readonly (string | Error)[]): AsyncGenerator<string> {
  for (const piece of all) {
    await Promise.resolve();
    if (piece instanceof Error) throw piece;
    yield piece;
  }
}

test("H1 there is no response before the first piece", async () => {
  let release: (() => void) | undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  async function* late(): AsyncGenerator<string> {
    await gate;
    yield "a";
  }
  let response: Response | undefined;
  const waiting = streamed(late(), options()).then((made) => (response = made));
  await settle();
  expect(response).toBeUndefined();
  release?.();
  await waiting;
  expect(response?.headers.get("content-type")).toBe("application/x-ndjson");
  expect(await response?.text()).toBe("a");
});

test("H1 what fails before the first piece rejects", async () => {
  await expect(streamed(pieces(new Error("no")), options())).rejects.toThrow("no");
});

test("a failure half-way is the last piece", async () => {
  const response = await streamed(pieces("a\n", new Error("no")), options());
  expect(await response.text()).toBe("a\nfailed: Error: no");
});

test("H2 a request's abort aborts the generation with an Error, also when it came before", () => {
  const controller = new AbortController();
  const client = clientGone(request(controller.signal));
  expect(client.signal.aborted).toBe(false);
  controller.abort("a string, as some servers give");
  expect(client.signal.reason).toBeInstanceOf(Error);
  expect(clientGone(request(AbortSignal.abort())).signal.aborted).toBe(true);
});

test("H2 a cancelled body aborts the generation", async () => {
  const client = clientGone(request());
  const response = await streamed(pieces("a", "b", "c"), options(client));
  await response.body?.cancel();
  expect(client.signal.aborted).toBe(true);
});

test("H2 a generation between two pieces that nobody takes is ended when its client goes", async () => {
  let isEnded = false;
  async function* endless(): AsyncGenerator<string> {
    try {
      for (;;) yield "and so on ";
    } finally {
      isEnded = true;
    }
  }
  const controller = new AbortController();
  const response = await streamed(endless(), options(clientGone(request(controller.signal))));
  await settle();
  expect(response.body).not.toBeNull();
  expect(isEnded).toBe(false);
  controller.abort();
  await settle();
  expect(isEnded).toBe(true);
});
