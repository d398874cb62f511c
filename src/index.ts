// The public API of the package: what a program needs to run Troupe in process, to talk to a server, or to extend it.

export { compose, type ComposeOptions, type Troupe, type World } from "./compose.ts";
export { listen, type ServeOptions, type Served } from "./listen.ts";
export { VERSION } from "./version.ts";
export { SimulatedClock, systemClock, type Clock } from "./base/clock.ts";
export { runtimeFetch } from "./base/fetch.ts";
export { seededRandom, systemRandom, type Random } from "./base/ids.ts";
export {
  CancelledError,
  ConfigError,
  ConflictError,
  InternalError,
  InvalidRequestError,
  LimitError,
  NotFoundError,
  ProviderError,
  StoreError,
  ToolError,
  TroupeError,
} from "./base/errors.ts";
export type {
  Caller,
  DelegateRequest,
  SteerReceipt,
  TaskApi,
  TaskHandle,
  TaskResult,
  TaskView,
  TreeNode,
  TroupeApi,
} from "./core/api.ts";
export type { BoxApi } from "./core/box-api.ts";
export { configSchema, type Config } from "./core/config-schema.ts";
export type { EventFrame, StoredEvent } from "./core/event.ts";
export type { Tool, ToolContext, ToolOutcome, Toolset } from "./core/tool.ts";
export { HttpClient } from "./http/client.ts";
export { OPERATOR, Runtime } from "./runtime/runtime.ts";
export { createSimulator } from "./simulator/simulator.ts";
export { MemoryStore } from "./store/memory.ts";
export type { Store } from "./store/store.ts";
export { agentMachine } from "../machines/agent.ts";
export type { Provider, ProviderEvent } from "../providers/provider.ts";
export { call, fail, say, wait } from "../providers/script.ts";
export { scripted } from "../providers/scripted.ts";
