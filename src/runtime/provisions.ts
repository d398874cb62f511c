// What a task is given for its turns, looked up once for all tasks alike: the settings of its model, its tools by name.

import type { ModelSettings, Settings } from "../core/settings.ts";
import type { ModelRef, TaskRole, TaskSpec } from "../core/task.ts";
import type { Tool } from "../core/tool.ts";
import { GpuRates } from "./gpu-rates.ts";
import { findModel } from "./placing.ts";

/** The tools of these toolsets for a role. */
export type ToolsOf = (toolsets: readonly string[], role: TaskRole) => readonly Tool[];

export class Provisions {
  /** What generations take of the GPUs. */
  readonly gpu: GpuRates;
  readonly #settings: Settings;
  readonly #toolsOf: ToolsOf;
  readonly #models = new Map<string, ModelSettings>();
  readonly #toolMaps = new Map<string, ReadonlyMap<string, Tool>>();

  constructor(settings: Settings, toolsOf: ToolsOf) {
    this.gpu = new GpuRates(settings.backends);
    this.#settings = settings;
    this.#toolsOf = toolsOf;
  }

  /** Throws NotFoundError `model_not_found` when the config has the model no more. */
  modelOf(ref: ModelRef): ModelSettings {
    const name = `${ref.provider}/${ref.model}`;
    const known = this.#models.get(name);
    if (known) return known;
    const model = findModel(name, this.#settings);
    this.#models.set(name, model);
    return model;
  }

  /** The same map for all tasks with the same toolsets and role. Throws what making the tools throws. */
  toolsOf(spec: Pick<TaskSpec, "role" | "toolsets">): ReadonlyMap<string, Tool> {
    const key = `${spec.role}:${spec.toolsets.join(",")}`;
    const known = this.#toolMaps.get(key);
    if (known) return known;
    const tools = this.#toolsOf(spec.toolsets, spec.role);
    const map = new Map(tools.map((tool) => [tool.definition.name, tool]));
    this.#toolMaps.set(key, map);
    return map;
  }
}
