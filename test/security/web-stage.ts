// A web of real local servers under public names, for attacks on the web toolset: sockets and answers are real, only
// what names resolve to and where public addresses lead is the test's own. A fetch without guards is the control.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { pinnedHttp } from "../../src/base/pinned-http.ts";
import type { ToolContext } from "../../src/core/tool.ts";
import type { WebOptions } from "../../src/toolsets/web.ts";
import { webToolset } from "../../src/toolsets/web.ts";
import { toolContext } from "../toolsets/tool-context.ts";

/** An ordinary public address; the stage lets it lead to its page server. */
export const PUBLIC = "93.184.215.14";
export const SECRET = "the box's own secret";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface WebStage {
  /** Port of the server of pages, which the policy allows. */
  readonly port: number;
  /** Port of a server of this box that nobody outside may reach; allowed by the policy's ports all the same. */
  readonly innerPort: number;
  /** Requests that reached the inner server. */
  readonly innerHits: () => number;
  readonly pageHits: () => number;
  /** What each name resolves to, for the n-th question. */
  readonly names: Map<string, (n: number) => readonly string[]>;
  readonly resolutions: string[];
  /** Addresses that a connection was asked for. */
  readonly connections: string[];
  /** Answers of the server of pages, by path. */
  readonly pages: Map<string, Answer>;
  readonly options: WebOptions;
  fetch(url: string, more?: Partial<ToolContext>): Promise<Page>;
  close(): Promise<void>;
}

export interface Page {
  readonly type: string;
  readonly url: string;
  readonly title: string;
  readonly text: string;
  readonly truncated: boolean;
  readonly next_from?: number;
}

async function listening(handler: Answer): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

export function html(body: string): Answer {
  return (_, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(body);
  };
}

export function redirect(to: string, status = 302): Answer {
  return (_, response) => {
    response.writeHead(status, { location: to });
    response.end();
  };
}

export async function webStage(
  more: Partial<WebOptions> & { readonly clock?: Clock } = {},
): Promise<WebStage> {
  const counts = { inner: 0, pages: 0 };
  const pages = new Map<string, Answer>();
  const inner = await listening((_, response) => {
    counts.inner += 1;
    response.end(SECRET);
  });
  const outer = await listening((request, response) => {
    counts.pages += 1;
    (pages.get(request.url ?? "") ?? html("<p>hello</p>"))(request, response);
  });
  const [port, innerPort] = [portOf(outer), portOf(inner)];
  const names = new Map<string, (n: number) => readonly string[]>([["page.test", () => [PUBLIC]]]);
  const [resolutions, connections]: [string[], string[]] = [[], []];
  const request = pinnedHttp();
  const { clock = systemClock, ...changed } = more;
  const options: WebOptions = {
    policy: { ports: [80, 443, port, innerPort], barredPorts: [], barredServers: [], ownAddresses: () => [] },
    resolve: (name) => {
      const count = resolutions.filter((each) => each === name).length;
      resolutions.push(name);
      const found = names.get(name)?.(count);
      return found ? Promise.resolve(found) : Promise.reject(new Error(`ENOTFOUND ${name}`));
    },
    request: (asked) => {
      connections.push(asked.address);
      return request({ ...asked, address: asked.address === PUBLIC ? "127.0.0.1" : asked.address });
    },
    maxBytes: 100_000,
    timeoutMs: 10_000,
    userAgent: "Troupe/test",
    searchUrl: null,
    ...changed,
  };
  const tool = (name: string) => {
    const found = webToolset(options)
      .tools("leaf")
      .find(({ definition }) => definition.name === name);
    if (!found) throw new Error(`no tool ${name}`);
    return found;
  };
  return {
    port,
    innerPort,
    innerHits: () => counts.inner,
    pageHits: () => counts.pages,
    names,
    resolutions,
    connections,
    pages,
    options,
    fetch: async (url, context = {}) => {
      const outcome = await tool("web_fetch").run({ url }, { ...toolContext("/tmp"), clock, ...context });
      return (outcome as { readonly value: unknown }).value as Page;
    },
    close: async () => {
      for (const server of [inner, outer]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

/** What a tool does that believes the first answer of its resolver. */
export async function naive(
  url: string,
  resolve: (name: string) => Promise<readonly string[]>,
): Promise<string> {
  const asked = new URL(url);
  const [address = ""] = await resolve(asked.hostname);
  const { signal } = new AbortController();
  const request = { url: asked, headers: {}, signal };
  const answer = await pinnedHttp()({ ...request, address: address === PUBLIC ? "127.0.0.1" : address });
  let text = "";
  for await (const chunk of answer.body) text += new TextDecoder().decode(chunk);
  return text;
}
