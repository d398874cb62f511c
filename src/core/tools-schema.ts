// The `tools:` block of config.yaml: what toolsets may do, as the operator says it. No request and no agent can change
// any of it. One key per toolset, with a safe default; core/config-schema.ts holds the rest of the config.

import { z } from "zod";

export const toolsSchema = z
  .strictObject({
    /** Agents (`session` and `child` are Troupe's own) that may read pages, private data and talk out, all three. */
    grants: z.array(z.string().min(1)).default([]),
    file: z
      .strictObject({
        /** Patterns of what is neither read nor written, relative to the workspace; a folder stands for all in it. */
        deny: z.array(z.string().min(1)).default([]),
        /** Patterns of what may be written although programs obey such files unasked; never .git. */
        allow: z.array(z.string().min(1)).default([]),
      })
      .prefault({}),
  })
  .prefault({});
