// Attacks on where the web toolset goes (security-cases T25, T27-T31) against real local servers, each beside a control that
// shows a fetch without guards falling for it. What it takes is in web-caps.test.ts, whom it asks never in web-own.test.ts.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { html, naive, PUBLIC, redirect, SECRET, webStage, type WebStage } from "./web-stage.ts";

let stage: WebStage;
beforeEach(async () => {
  stage = await webStage();
});
afterEach(() => stage.close());

const refusedAs = (code: string): Error => expect.objectContaining({ kind: "tool", code }) as Error;

test("a page of the public web is read, from the address that was checked, by one resolution", async () => {
  const page = await stage.fetch(`http://page.test:${stage.port}/`);
  expect(page).toMatchObject({ type: "web_page", text: "hello", truncated: false });
  expect(stage.connections).toEqual([PUBLIC]);
  expect(stage.resolutions).toEqual(["page.test"]);
});

describe("T25 this machine, however it is written", () => {
  test.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0177.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "017700000001",
    "127.0.0.1.",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "0.0.0.0",
    "0",
  ])("%s", async (host) => {
    const url = `http://${host}:${stage.innerPort}/`;
    await expect(stage.fetch(url)).rejects.toThrow(refusedAs("address_refused"));
    expect(stage.innerHits()).toBe(0);
    // Control: it does lead here.
    expect(await (await fetch(url)).text()).toBe(SECRET);
  });

  test.each(["localhost", "LOCALHOST", "localhost.", "any.localhost", "user:pass@localhost"])(
    "%s",
    async (host) => {
      stage.names.set("localhost", () => [PUBLIC]);
      const url = `http://${host}:${stage.innerPort}/`;
      await expect(stage.fetch(url)).rejects.toThrow(refusedAs("address_refused"));
      expect(stage.connections).toEqual([]);
    },
  );

  test.each([
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[::ffff:0:127.0.0.1]",
  ])("%s", async (host) => {
    await expect(stage.fetch(`http://${host}:${stage.innerPort}/`)).rejects.toThrow(
      refusedAs("address_refused"),
    );
    expect(stage.connections).toEqual([]);
  });
});

describe("T27, T28 addresses that are nobody's web server, written or resolved", () => {
  const addresses = [
    "169.254.169.254",
    "100.100.100.200",
    "100.64.0.1",
    "168.63.129.16",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "127.0.0.1",
  ];
  test.each(addresses)("%s", async (address) => {
    stage.names.set("evil.test", () => [address]);
    stage.names.set("mixed.test", () => [PUBLIC, address]);
    for (const host of [address, "evil.test", "mixed.test"]) {
      await expect(stage.fetch(`http://${host}:${stage.port}/`)).rejects.toThrow(
        refusedAs("address_refused"),
      );
    }
    expect(stage.connections).toEqual([]);
  });

  test.each(["::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fd12::1", "fe80::1%eth0", "not an address", ""])(
    "a resolver that says %j",
    async (address) => {
      stage.names.set("evil.test", () => [address]);
      await expect(stage.fetch(`http://evil.test:${stage.port}/`)).rejects.toThrow(
        refusedAs("address_refused"),
      );
      expect(stage.connections).toEqual([]);
    },
  );

  test("the control: without the check of what was resolved the inner server answers", async () => {
    stage.names.set("evil.test", () => ["127.0.0.1"]);
    expect(await naive(`http://evil.test:${stage.innerPort}/`, stage.options.resolve)).toBe(SECRET);
  });
});

describe("T29 a name that says something else when it is asked again", () => {
  test("is asked once, and the connection goes where that led", async () => {
    stage.names.set("rebind.test", (n) => [n === 0 ? PUBLIC : "127.0.0.1"]);
    const page = await stage.fetch(`http://rebind.test:${stage.port}/`);
    expect(page.text).toBe("hello");
    expect(stage.resolutions).toEqual(["rebind.test"]);
    expect(stage.connections).toEqual([PUBLIC]);
    expect(stage.innerHits()).toBe(0);
  });

  test("the control: checking one answer and connecting to the next reaches this machine", async () => {
    stage.names.set("rebind.test", (n) => [n === 0 ? PUBLIC : "127.0.0.1"]);
    expect(await stage.options.resolve("rebind.test")).toEqual([PUBLIC]);
    expect(await naive(`http://rebind.test:${stage.innerPort}/`, stage.options.resolve)).toBe(SECRET);
  });
});

describe("T30 redirects", () => {
  const inner = (): string => `http://127.0.0.1:${stage.innerPort}/`;

  test.each([301, 302, 303, 307, 308])(
    "%i to this machine is refused, which a plain fetch follows",
    async (status) => {
      stage.pages.set("/", redirect(inner(), status));
      await expect(stage.fetch(`http://page.test:${stage.port}/`)).rejects.toThrow(
        refusedAs("address_refused"),
      );
      expect(stage.innerHits()).toBe(0);
      expect(await (await fetch(`http://127.0.0.1:${stage.port}/`)).text()).toBe(SECRET);
    },
  );

  test.each([
    ["file:///etc/passwd", "scheme_refused"],
    ["ftp://page.test/", "scheme_refused"],
    ["gopher://page.test:70/_x", "scheme_refused"],
    ["data:text/plain,hello", "scheme_refused"],
    ["javascript:alert(1)", "scheme_refused"],
    ["http://page.test:22/", "port_refused"],
    ["//169.254.169.254/latest/meta-data/", "address_refused"],
    ["http://evil.test/", "address_refused"],
  ])("to %s is refused as %s", async (to, code) => {
    stage.names.set("evil.test", () => ["10.0.0.1"]);
    stage.pages.set("/", redirect(to));
    await expect(stage.fetch(`http://page.test:${stage.port}/`)).rejects.toThrow(refusedAs(code));
    expect(stage.connections).toEqual([PUBLIC]);
  });

  test("a hop that rebinds is checked anew", async () => {
    stage.names.set("rebind.test", (n) => [n === 0 ? PUBLIC : "127.0.0.1"]);
    stage.pages.set("/", redirect(`http://rebind.test:${stage.port}/again`));
    await expect(stage.fetch(`http://rebind.test:${stage.port}/`)).rejects.toThrow(
      refusedAs("address_refused"),
    );
    expect(stage.connections).toEqual([PUBLIC]);
  });

  test("five are followed, the sixth is not, and neither cookies nor credentials go along", async () => {
    const seen: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      stage.pages.set(`/${n}`, (request, response) => {
        seen.push(
          JSON.stringify([request.headers.cookie, request.headers.authorization, request.headers.referer]),
        );
        response.setHeader("set-cookie", "a=b");
        redirect(`http://me:key@page.test:${stage.port}/${n + 1}`)(request, response);
      });
    }
    stage.pages.set("/end", html("<p>the end</p>"));
    await expect(stage.fetch(`http://u:p@page.test:${stage.port}/0`)).rejects.toThrow(
      refusedAs("too_many_redirects"),
    );
    expect(stage.pageHits()).toBe(6);
    expect(new Set(seen)).toEqual(new Set(["[null,null,null]"]));
    stage.pages.set("/5", redirect("/end"));
    const page = await stage.fetch(`http://page.test:${stage.port}/1`);
    expect(page).toMatchObject({ text: "the end", url: `http://page.test:${stage.port}/end` });
  });

  test("from https to http is refused", async () => {
    const other = await webStage({
      request: () =>
        Promise.resolve({
          status: 302,
          headers: { location: "http://page.test/" },
          body: (async function* () {})(),
          close: () => {},
        }),
    });
    other.names.set("page.test", () => [PUBLIC]);
    await expect(other.fetch("https://page.test/")).rejects.toThrow(refusedAs("redirect_refused"));
    await other.close();
  });

  test("of a page's own making (meta, script) is not followed", async () => {
    const page = `<meta http-equiv=refresh content="0;url=${inner()}"><script>location="${inner()}"</script><p>hi</p>`;
    stage.pages.set("/", html(page));
    expect((await stage.fetch(`http://page.test:${stage.port}/`)).text).toBe("hi");
    expect(stage.innerHits()).toBe(0);
  });
});

test.each([
  "file:///etc/passwd",
  "FILE:/etc/passwd",
  "ftp://page.test/",
  "gopher://page.test/",
  "data:text/plain,x",
  "blob:http://page.test/1",
  "unix:/var/run/docker.sock",
  "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
  "javascript:alert(1)",
  "ws://page.test/",
  "about:blank",
])("T31 %s is not fetched", async (url) => {
  await expect(stage.fetch(url)).rejects.toThrow(refusedAs("scheme_refused"));
  expect(stage.connections).toEqual([]);
});

const SOME_REFUSAL = expect.objectContaining({ kind: "tool" }) as Error;
test.each([
  "",
  "page",
  "http://",
  "http:///etc",
  "//page.test/",
  "http://page.test:99999/",
  `http://x/${"a".repeat(5_000)}`,
])("%j is no address", async (url) => {
  await expect(stage.fetch(url)).rejects.toThrow(SOME_REFUSAL);
  expect(stage.connections).toEqual([]);
});
