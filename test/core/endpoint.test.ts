import { describe, expect, it } from "vitest";
import { credentialPlace, endpointIdentity, isLoopback, parseEndpoint } from "../../src/core/endpoint.ts";

describe("isLoopback", () => {
  it.each([
    "http://localhost",
    "https://LOCALHOST:1/v1",
    "http://localhost.",
    "http://a.localhost",
    "http://127.0.0.1",
    "http://127.9.9.9",
    "http://127.1",
    "http://2130706433",
    "http://0x7f.1",
    "http://[::1]:80",
  ])("is true of %s", (url) => {
    expect(isLoopback(url)).toBe(true);
  });

  it.each([
    "http://0.0.0.0",
    "http://[::]",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://evil.example/127.0.0.1",
    "http://127.0.0.1@evil.example",
    "http://192.168.0.1",
    "http://[::ffff:127.0.0.1]",
    "ftp://localhost",
    "localhost:11434",
    "",
    "http://",
  ])("is false of %s", (url) => {
    expect(isLoopback(url)).toBe(false);
  });
});

describe("endpointIdentity", () => {
  it("is the same for the spellings of one server, and another for another", () => {
    const same = [
      "http://localhost:11434/v1",
      "http://127.0.0.1:11434",
      "http://LocalHost:11434/",
      "http://[::1]:11434/v1/",
    ];
    expect(new Set(same.map(endpointIdentity)).size).toBe(1);
    const different = [
      "http://127.0.0.1:11435",
      "https://127.0.0.1:11434",
      "http://h:11434",
      "http://127.0.0.1:11434/x",
      "no url",
    ];
    expect(new Set([...different, same[0] as string].map(endpointIdentity)).size).toBe(6);
  });
});

describe("parseEndpoint", () => {
  it("takes http and https only", () => {
    expect(parseEndpoint("https://x")?.host).toBe("x");
    for (const url of ["file:///x", "javascript:1", "x", ""]) expect(parseEndpoint(url)).toBeNull();
  });
});

describe("credentialPlace", () => {
  it.each([
    ["http://a@h", "user and password"],
    ["http://:b@h", "user and password"],
    ["http://h/?k=v", "a query (?…)"],
    ["http://h/#k", "a fragment (#…)"],
    ["http://h:1/v1", null],
  ])("of %s is %s", (url, place) => {
    expect(credentialPlace(new URL(url))).toBe(place);
  });
});
