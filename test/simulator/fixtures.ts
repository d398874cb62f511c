// Small models and boxes for the simulator's tests: one token a millisecond unless a test says otherwise.

import { settle, SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { serve } from "../../src/base/listen.ts";
import { SimulatedBox } from "../../src/simulator/box.ts";
import {
  DEFAULT_SIMULATOR_CONFIG,
  type SimulatedModel,
  type SimulatorConfig,
} from "../../src/simulator/config.ts";
import type { GenerationChunk, GenerationRequest } from "../../src/simulator/generation.ts";
import { say, type PolicyMessage, type PolicyTool } from "../../src/simulator/policy.ts";
import { createSimulator, type Simulator } from "../../src/simulator/simulator.ts";

export function model(name: string, more: Partial<SimulatedModel> = {}): SimulatedModel {
  return {
    name,
    policy: () => say("one two three four five"),
    sizeBytes: 50,
    kvBytesPerToken: 0,
    contextTokens: 32_768,
    parameters: "1.0B",
    tools: true,
    thinking: false,
    loadMs: 1_000,
    ...more,
  };
}

/** One GPU of 100 bytes, one slot, round rates and no jitter. */
export const SMALL: SimulatorConfig = {
  ...DEFAULT_SIMULATOR_CONFIG,
  gpus: [{ id: "gpu0", vramBytes: 100 }],
  models: [model("a"), model("b"), model("c")],
  slots: 1,
  loadJitter: 0,
  unloadMs: 100,
  prefillTokensPerS: 1_000,
  decodeTokensPerS: 100,
  batchSlowdown: 0,
};

export function smallBox(more: Partial<SimulatorConfig> = {}): { box: SimulatedBox; clock: SimulatedClock } {
  const clock = new SimulatedClock();
  return { clock, box: new SimulatedBox({ clock, random: seededRandom(7), config: { ...SMALL, ...more } }) };
}

export const NEVER = new AbortController().signal;

export function named(box: SimulatedBox, name: string): SimulatedModel {
  const found = box.model(name);
  if (!found) throw new Error(`no model ${name} in this box`);
  return found;
}

export function user(content: string): PolicyMessage {
  return { role: "user", content, calls: [], callId: null, toolName: null };
}

export function assistant(content: string, ...calls: readonly (readonly [string, object])[]): PolicyMessage {
  return {
    role: "assistant",
    content,
    calls: calls.map(([name, input]) => ({ id: null, name, arguments: { ...input } })),
    callId: null,
    toolName: null,
  };
}

/** A tool's result: a JSON value, or text as it stands. */
export function result(toolName: string, value: unknown): PolicyMessage {
  const content = typeof value === "string" ? value : JSON.stringify(value);
  return { role: "tool", content, calls: [], callId: null, toolName };
}

export function tools(...names: readonly string[]): readonly PolicyTool[] {
  return names.map((name) => ({ name, description: "", parameters: {} }));
}

export const FILE_TOOLS = tools("list_dir", "read_file", "search_files");
export const DELEGATION = tools(
  "delegate_task",
  "delegate_task_async",
  "check_task",
  "steer_task",
  "collect_task",
  "cancel_task",
  "list_tasks",
);

export function generationRequest(
  chosen: SimulatedModel,
  more: Partial<GenerationRequest> = {},
): GenerationRequest {
  return {
    model: chosen,
    messages: [user("hello")],
    tools: [],
    contextTokens: null,
    keepAliveMs: null,
    maxTokens: null,
    truncates: true,
    shifts: true,
    format: null,
    think: false,
    signal: NEVER,
    ...more,
  };
}

/** A generation that is read in the background, with what it gave so far. */
export interface Reading {
  readonly chunks: GenerationChunk[];
  error: unknown;
  readonly ended: Promise<void>;
}

export function reading(generation: AsyncIterable<GenerationChunk>): Reading {
  const chunks: GenerationChunk[] = [];
  const read = async (): Promise<void> => {
    try {
      for await (const chunk of generation) chunks.push(chunk);
    } catch (error) {
      state.error = error;
    }
  };
  const state: Reading = { chunks, error: undefined, ended: Promise.resolve() };
  return Object.assign(state, { ended: read() });
}

export interface Served extends Simulator, AsyncDisposable {
  readonly clock: SimulatedClock;
  readonly url: string;
  /** Moves the clock in small steps until the work is done. */
  finish<T>(work: Promise<T>): Promise<T>;
}

/** The small box behind a real socket, on a clock that moves only when told to. */
export async function served(more: Partial<SimulatorConfig> = {}): Promise<Served> {
  const clock = new SimulatedClock();
  const simulator = createSimulator({ clock, random: seededRandom(7), config: { ...SMALL, ...more } });
  const server = await serve((request) => simulator.app.fetch(request), { hostname: "127.0.0.1", port: 0 });
  return {
    ...simulator,
    clock,
    url: server.url,
    finish: async (work) => {
      let isOver = false;
      const over = (): void => void (isOver = true);
      work.then(over, over);
      await until(async () => {
        await clock.advance(10);
        return isOver;
      });
      return work;
    },
    [Symbol.asyncDispose]: async () => {
      simulator.close();
      await server.close();
    },
  };
}

/** A chat request as it stands on the wire. */
export function post(server: Served, body: unknown, signal?: AbortSignal): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${server.url}/api/chat`, { method: "POST", body: text, ...(signal ? { signal } : {}) });
}

/** Turns the event loop until something holds; sockets need turns, not time. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (await holds()) return;
    await settle();
  }
  throw new Error("it never came to hold");
}
