// What the runtime stands on, resolved: no file formats, no environment, no discovery. `config/` makes it from
// YAML and from what the model servers say; tests write it by hand.

import type { AgentDefinition } from "./agent.ts";
import type { CapabilitySettings } from "./capabilities.ts";
import type { EventType } from "./event.ts";
import type { TaskLimits, TreeBudget } from "./limits.ts";
import type { RoutingSettings } from "./routing.ts";
import type { ModelRef } from "./task.ts";

export interface BackendSettings {
  /** Unique; the config's provider name, or `provider@gpu`. */
  readonly name: string;
  /** The provider in the config that speaks to it. */
  readonly provider: string;
  readonly gpu: string | null;
  readonly slots: number;
  readonly maxChildren: number;
  /** Present where the figure is a first guess, for the scheduler to better by measuring; `most` is never exceeded. */
  readonly autoSlots?: { readonly most: number };
  readonly autoChildren?: { readonly most: number };
  /** Runs on this box: its context is ours to choose, and its time is GPU time. */
  readonly local: boolean;
  /** Present where models are loaded and unloaded at our command; `null` where nobody can tell the memory. */
  readonly residency?: { readonly vramBytes: number | null };
}

/** What is known of a model on its provider. */
export interface ModelSettings {
  readonly ref: ModelRef;
  /** The context window that is asked for; `null` leaves the server's. */
  readonly contextTokens: number | null;
  readonly tools: boolean;
  readonly thinking: boolean;
  /** Takes images; absent where the server does not tell. */
  readonly vision?: boolean;
  /** Micros of the account's currency for a million tokens. */
  readonly promptPriceMicros: number;
  /** For the part of a prompt that the server had in its cache; the prompt's price when absent. */
  readonly cachedPromptPriceMicros?: number;
  readonly outputPriceMicros: number;
  /** The config says what it costs, be it 0. Without a price no cloud's model runs under a budget of money. */
  readonly priced?: boolean;
}

export interface DelegationSettings {
  readonly maxConcurrentChildren: number;
  readonly maxSpawnDepth: number;
  /** What a person's message does to a session that blocks on its children. */
  readonly onInterrupt: "continue" | "cancel";
  /** Toolsets of children whose agent and parent name none. */
  readonly defaultToolsets: readonly string[];
}

/** How many runs of one agent may fail, over all its tasks, before none is begun again by itself. */
export interface RestartIntensitySettings {
  readonly failures: number;
  readonly periodMs: number;
}

export interface Settings {
  readonly version: string;
  readonly boxId: string;
  readonly simulated: boolean;
  /** Absolute; every workspace lies in it. */
  readonly workspaceRoot: string;
  /** Absolute; where worktrees of tasks lie. Absent: this box makes none. */
  readonly worktreeFolder?: string;
  /** Where a person can watch, without a trailing slash; `null` when nothing serves. */
  readonly link: string | null;
  readonly backends: readonly BackendSettings[];
  /** Every model that may be used, the first of a name wins for bare names. */
  readonly models: readonly ModelSettings[];
  readonly parentModel: ModelRef;
  readonly childModel: ModelRef;
  /** The agent of sessions, the agent of unnamed children, and the named ones. */
  readonly sessionAgent: AgentDefinition;
  readonly childAgent: AgentDefinition;
  readonly agents: readonly AgentDefinition[];
  readonly delegation: DelegationSettings;
  readonly capabilities: CapabilitySettings;
  readonly routing: RoutingSettings;
  readonly limits: TaskLimits;
  readonly budget: TreeBudget;
  readonly interactivePatienceMs: number;
  readonly maxQueued: number;
  /** How long a cancelled task may take to let go before it is ended by force. */
  readonly cancelDeadlineMs: number;
  readonly restartIntensity: RestartIntensitySettings;
  /** What is shouted wherever people look: walls that the config took away. */
  readonly unsafe?: readonly string[];
}

/** Another program that is told of events. */
export interface CallbackSettings {
  readonly name: string;
  readonly url: string;
  readonly events: readonly EventType[];
  /** `env:NAME`, `none`, a literal for this machine; `null` when it has none. */
  readonly token: string | null;
}

/** Where what outlives the process lies, and for how long; the runtime sees the store alone. */
export interface StoreSettings {
  /** Absolute; `null` for a store in memory. */
  readonly path: string | null;
  readonly durability: "none" | "normal" | "full";
  /** How long an ended tree is kept that everybody has read. */
  readonly keepMs: number;
  /** What the medium may take. */
  readonly maxBytes: number;
}
