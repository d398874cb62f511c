import { expect, test } from "vitest";
import {
  compose,
  createSimulator,
  HttpClient,
  MemoryStore,
  Runtime,
  scripted,
  VERSION,
} from "../src/index.ts";

test("the public API gives what the README names", () => {
  for (const each of [compose, createSimulator, HttpClient, MemoryStore, Runtime, scripted])
    expect(each).toBeTypeOf("function");
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+$/);
});
