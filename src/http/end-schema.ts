// What the end of a task says: why it failed, and what is left of its worktree. In the wire's words.

import { z } from "zod";
import type { Wire } from "../core/wire.ts";
import type { WorktreeEnd } from "../core/worktree.ts";

export const failure = z
  .object({ code: z.string(), message: z.string(), retryable: z.boolean() })
  .meta({ id: "TaskFailure" });

export const worktreeEnd = z
  .object({
    path: z.string(),
    branch: z.string(),
    commits: z
      .number()
      .int()
      .nullable()
      .describe("Beyond what the branch began with; null where nobody could tell."),
    dirty: z.boolean().nullable().describe("Files differ from the last commit."),
    kept: z.boolean().describe("false: nothing was changed, and it was removed with its branch."),
    note: z.string().exactOptional(),
  })
  .meta({ id: "WorktreeEnd" }) satisfies z.ZodType<Wire<WorktreeEnd>>;
