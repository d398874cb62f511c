import { afterEach, expect, it } from "vitest";
import { serveOnNode, type NodeServer } from "../../src/base/listen-node.ts";
import { answerWith, textResponse } from "../../src/base/text-response.ts";

let server: NodeServer | null = null;
afterEach(async () => {
  await server?.stop();
  server = null;
  answerWith(Response);
});

const headers = { "content-type": "application/json", location: "/x" };

it("is a Response with this text, status and headers, before anything serves", async () => {
  const response = textResponse('{"ä":1}', 202, headers);
  expect(response).toBeInstanceOf(Response);
  expect([response.status, response.headers.get("location"), await response.text()]).toEqual([
    202,
    "/x",
    '{"ä":1}',
  ]);
});

it("is one on Node too once something serves, goes to the wire whole, and leaves the global ones alone", async () => {
  const own = [globalThis.Request, globalThis.Response];
  const made: Response[] = [];
  server = await serveOnNode(
    () => {
      const response = textResponse('{"ä":1}', 202, headers);
      made.push(response);
      return response;
    },
    { hostname: "127.0.0.1", port: 0 },
  );
  expect([globalThis.Request, globalThis.Response]).toEqual(own);
  const answer = await fetch(`http://127.0.0.1:${server.port}/`);
  expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([
    202,
    "8",
    '{"ä":1}',
  ]);
  expect(answer.headers.get("location")).toBe("/x");
  expect(made[0]).toBeInstanceOf(Response);
  expect(made[0]?.constructor).not.toBe(Response);
  expect(made[0]?.headers.get("location")).toBe("/x");
});
