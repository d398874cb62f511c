// Attacks on this box by way of the web toolset (security-cases T33, T35): its own servers, and a proxy of the environment.

import { request as plainRequest } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { naive, PUBLIC, SECRET, webStage, type WebStage } from "./web-stage.ts";

let stage: WebStage;
beforeEach(async () => {
  stage = await webStage();
});
afterEach(() => stage.close());

const refusedAs = (code: string): Error => expect.objectContaining({ kind: "tool", code }) as Error;

describe("T33 servers of this box and of its models", () => {
  test("are refused by port and by name though their ports are allowed", async () => {
    const barredServers = [{ host: "models.test", port: stage.port }];
    const other = await webStage({
      policy: { ...stage.options.policy, barredPorts: [stage.innerPort, 11_434], barredServers },
    });
    other.names.set("models.test", () => [PUBLIC]);
    for (const url of [
      `http://page.test:${stage.innerPort}/`,
      "http://page.test:11434/api/tags",
      `http://models.test:${stage.port}/`,
      `http://MODELS.test.:${stage.port}/`,
    ]) {
      await expect(other.fetch(url)).rejects.toThrow(refusedAs("own_server_refused"));
    }
    expect(other.connections).toEqual([]);
    // Control: they can be reached.
    expect(await naive(`http://page.test:${stage.innerPort}/`, stage.options.resolve)).toBe(SECRET);
    await other.close();
  });

  test("are refused by this machine's public addresses too", async () => {
    const ownAddresses = () => ["127.0.0.1", PUBLIC, "2606:2800::1"];
    const other = await webStage({ policy: { ...stage.options.policy, ownAddresses } });
    other.names.set("six.test", () => ["2606:2800:0:0::1"]);
    for (const host of ["page.test", PUBLIC, "six.test", "[2606:2800::0001]"]) {
      await expect(other.fetch(`http://${host}:${stage.port}/`)).rejects.toThrow(
        refusedAs("address_refused"),
      );
    }
    await other.close();
  });

  test.each([22, 25, 6379, 5432, 7433, 2375])("port %i is not among those that are allowed", async (port) => {
    await expect(stage.fetch(`http://page.test:${port}/`)).rejects.toThrow(refusedAs("port_refused"));
  });
});

test("T35 a proxy of the environment is not asked, and cannot lead past the check", async () => {
  const proxy = `http://127.0.0.1:${stage.innerPort}`;
  const keys = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "NODE_USE_ENV_PROXY"];
  const before = keys.map((key) => process.env[key]);
  for (const key of keys) process.env[key] = key.startsWith("NODE") ? "1" : proxy;
  try {
    expect((await stage.fetch(`http://page.test:${stage.port}/`)).text).toBe("hello");
    expect(stage.innerHits()).toBe(0);
    // Control: whoever asks the proxy gets the inner server's answer for any page.
    const answer = new Promise<string>((resolve, reject) => {
      const path = `http://page.test:${stage.port}/`;
      plainRequest({ host: "127.0.0.1", port: stage.innerPort, path }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(text));
      })
        .on("error", reject)
        .end();
    });
    expect(await answer).toBe(SECRET);
  } finally {
    for (const [index, key] of keys.entries()) {
      if (before[index] === undefined) delete process.env[key];
      else process.env[key] = before[index];
    }
  }
});
