// An agent: a definition (instructions, model, toolsets, limits) that tasks are made from. Named in the config.

import type { TaskLimits, TreeBudget } from "./limits.ts";
import type { SchedulingClass } from "./lifecycle.ts";
import type { Need } from "./routing.ts";
import type { TaskRole } from "./task.ts";
import type { Isolation } from "./worktree.ts";

export interface AgentDefinition {
  readonly name: string;
  readonly description: string;
  readonly instructions: string;
  /** `provider/model`, a bare model name, an alias, or `null` to inherit. */
  readonly model: string | null;
  /** Several models in the order in which they are tried; goes before `model`. */
  readonly route?: readonly string[];
  /** Whether a failed try is made once more with the next model of the route. */
  readonly escalate?: boolean;
  /** What its model must be able to do. */
  readonly needs?: readonly Need[];
  /** `null` inherits the parent's. */
  readonly toolsets: readonly string[] | null;
  readonly role: TaskRole;
  /** Whether delegating to it returns at once by default. */
  readonly async: boolean;
  readonly limits: Partial<TaskLimits>;
  /** What a task of it and everything below may use together; what is left out is left to the request and the tree. */
  readonly budget?: Partial<TreeBudget>;
  readonly schedulingClass: SchedulingClass | null;
  /** Tasks of this agent that one parent may have alive at once; `null` for no limit of its own. */
  readonly concurrencyLimit: number | null;
  /** Where its tasks work: as the default child's do when absent. A request can ask for a worktree, not for less. */
  readonly isolation?: Isolation;
}
