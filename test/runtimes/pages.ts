// What the web toolset makes of a server that wears a public address: the same on every runtime, past a proxy of the
// environment that is not there.

import process from "node:process";
import { systemClock } from "../../src/base/clock.ts";
import { toTroupeError } from "../../src/base/errors.ts";
import { serve } from "../../src/base/listen.ts";
import { pinnedHttp } from "../../src/base/pinned-http.ts";
import type { ToolContext } from "../../src/core/tool.ts";
import { webToolset, type WebOptions } from "../../src/toolsets/web.ts";

const PUBLIC = "93.184.215.14";
const PROXIES = ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] as const;

async function zipped(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/inside")
    return new Response(null, { status: 302, headers: { location: "http://127.1/" } });
  if (pathname === "/round") return new Response(null, { status: 307, headers: { location: "/page" } });
  const headers = { "content-type": "text/html", "content-encoding": "gzip" };
  const sent = `${request.headers.get("user-agent")} ${request.headers.get("host")?.split(":")[0]}`;
  return new Response(await zipped(`<title>A &amp; B</title><p>${sent}<script>no</script>`), { headers });
}

export async function pages(): Promise<unknown> {
  const server = await serve(answer, { hostname: "127.0.0.1", port: 0 });
  const before = PROXIES.map((name) => process.env[name]);
  for (const name of PROXIES) process.env[name] = "http://127.0.0.1:9";
  const request = pinnedHttp();
  const options: WebOptions = {
    policy: { ports: [80, server.port], barredPorts: [], barredServers: [], ownAddresses: () => [] },
    resolve: (name) => Promise.resolve([name === "page.test" ? PUBLIC : "10.0.0.1"]),
    request: (asked) =>
      request({ ...asked, address: asked.address === PUBLIC ? "127.0.0.1" : asked.address }),
    maxBytes: 10_000,
    timeoutMs: 10_000,
    userAgent: "Troupe/smoke",
    searchUrl: null,
  };
  const [tool] = webToolset(options).tools("leaf");
  const context = { clock: systemClock, signal: new AbortController().signal, maxResultChars: 2_000 };
  const read = async (url: string): Promise<unknown> => {
    try {
      const outcome = await tool?.run({ url }, context as ToolContext);
      const { title, text } = (
        outcome as { readonly value: { readonly title: string; readonly text: string } }
      ).value;
      return [title, text];
    } catch (error) {
      return toTroupeError(error).code;
    }
  };
  try {
    const found: unknown[] = [];
    const own = `http://page.test:${server.port}`;
    const inside = ["127.1", "0x7f.1", "１２７.０.０.１", "[::ffff:127.0.0.1]", "other.test"];
    for (const url of [
      `${own}/page`,
      `${own}/round`,
      `${own}/inside`,
      ...inside.map((host) => `http://${host}/`),
    ]) {
      found.push(await read(url));
    }
    return found;
  } finally {
    for (const [index, name] of PROXIES.entries()) {
      const value = before[index];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await server.close();
  }
}
