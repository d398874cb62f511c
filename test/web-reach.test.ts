import { expect, test } from "vitest";
import { configSchema } from "../src/core/config-schema.ts";
import { checkUrl } from "../src/toolsets/web-guard.ts";
import { approvalRules, webOptions } from "../src/web-reach.ts";

const DOORS = {
  request: () => Promise.reject(new Error("nothing is asked here")),
  resolve: () => Promise.resolve([]),
  ownAddresses: () => [],
};

function policyOf(config: unknown, baseUrls: readonly string[] = []) {
  return webOptions(configSchema.parse(config), baseUrls, DOORS).policy;
}

test.each([
  [{}, false],
  [{ network: true }, true],
  [{ unsafe: true }, true],
])("a terminal with %j reaches out of its workspace: %j", (terminal, reachesOut) => {
  const rules = approvalRules(configSchema.parse({ tools: { terminal, approval_timeout_s: 60 } }));
  expect(rules).toEqual({
    file_write: { approve: "never", reachesOut: false, timeoutMs: 60_000 },
    terminal: { approve: "never", reachesOut, timeoutMs: 60_000 },
    web: { approve: "never", reachesOut: true, timeoutMs: 60_000 },
  });
});

test("takes the config's caps, with safe defaults and no search", () => {
  expect(webOptions(configSchema.parse({}), [], DOORS)).toMatchObject({
    policy: { ports: [80, 443] },
    maxBytes: 5_000_000,
    timeoutMs: 10_000,
    searchUrl: null,
  });
});

test.each([
  "http://anything.test:7433/",
  "http://anything.test:11434/api/tags",
  "http://anything.test:8000/v1/models",
  "https://api.cloud.test/v1/models",
  "https://API.cloud.test./",
  "http://10.1.2.3:9000/",
])("bars %s although its port is allowed", (url) => {
  const web = { ports: [80, 443, 7433, 8000, 9000, 11_434] };
  const policy = policyOf({ tools: { web } }, [
    "http://localhost:8000/v1",
    "https://api.cloud.test/v1",
    "http://10.1.2.3:9000",
    "no address",
  ]);
  expect(() => checkUrl(url, policy)).toThrow(
    expect.objectContaining({ code: "own_server_refused" }) as Error,
  );
});

test("bars a server at a port of pages by its name, not everybody's pages", () => {
  const policy = policyOf(
    {
      server: {
        port: 443,
        host: "troupe.example",
        insecure_allow_remote: true,
        allowed_hosts: ["Box.example"],
      },
    },
    ["http://127.0.0.1:80/v1"],
  );
  for (const url of ["https://troupe.example/", "https://box.example/v1/tasks"]) {
    expect(() => checkUrl(url, policy)).toThrow(
      expect.objectContaining({ code: "own_server_refused" }) as Error,
    );
  }
  expect(checkUrl("https://page.example/", policy).href).toBe("https://page.example/");
  expect(checkUrl("http://page.example/", policy).href).toBe("http://page.example/");
});
