// The `tools:` block of config.yaml: what toolsets may do, as the operator says it. No request and no agent can change
// any of it. One key per toolset, with a safe default; core/config-schema.ts holds the rest of the config.

import { z } from "zod";
import { APPROVALS } from "./approval.ts";
import { ASK_TIMEOUT_MS } from "./limits.ts";

/** When a person is asked before a call acts. */
const approve = z.enum(APPROVALS).default("never");

const webSchema = z
  .strictObject({
    /** Ports that pages are fetched from; never Troupe's own or a model server's. */
    ports: z.array(z.number().int().min(1).max(65_535)).default([80, 443]),
    /** A SearXNG, or what answers like one; it may be on the local network. Without it there is no web_search. */
    search_url: z.string().min(1).optional(),
    /** Bytes of one page, packed and unpacked; what is longer is cut. */
    max_bytes: z.number().int().min(1).default(5_000_000),
    /** Seconds for one page, redirects included. */
    timeout_s: z.number().positive().default(10),
    approve,
  })
  .prefault({});

/** What commands of the terminal toolset may use; agents get it only where their `toolsets` name it. */
const terminalSchema = z
  .strictObject({
    /** Runs commands without any sandbox, as the server's own user. Believed of a config outside of the workspace only. */
    unsafe: z.boolean().default(false),
    /** Gives commands this machine's whole network, loopback with the model servers included. */
    network: z.boolean().default(false),
    /** What one call may take; what takes longer is ended with its session. */
    timeout_s: z.number().positive().default(120),
    /** Kept of one command's output: its beginning and its end. */
    max_output_bytes: z.number().int().min(1024).default(65_536),
    /** What a session may hold, and any one of its processes; half of it bounds /tmp of the sandbox. */
    max_memory_mb: z.number().int().min(64).default(4096),
    /** Processors that a session may keep busy; all but one, and at least half of them, when absent. */
    max_cpus: z.number().positive().optional(),
    /** Processes and threads of one session. */
    max_processes: z.number().int().min(16).default(256),
    /** Folders outside of /usr that commands may read, each with its programs in `bin`: toolchains. Absolute. */
    mounts: z.array(z.string().min(1)).default([]),
    approve,
  })
  .prefault({});

export const toolsSchema = z
  .strictObject({
    /** Agents (`session` and `child` are Troupe's own) that may read pages, private data and talk out, all three. */
    grants: z.array(z.string().min(1)).default([]),
    /** Seconds that a call waits to be allowed before it is denied. */
    approval_timeout_s: z.number().positive().default(3_600),
    /** Seconds that a question of the toolset ask waits for an answer before it is told that none came. */
    ask_timeout_s: z
      .number()
      .positive()
      .default(ASK_TIMEOUT_MS / 1000),
    file: z
      .strictObject({
        /** Patterns of what is neither read nor written, relative to the workspace; a folder stands for all in it. */
        deny: z.array(z.string().min(1)).default([]),
        /** Patterns of what may be written although programs obey such files unasked; never .git. */
        allow: z.array(z.string().min(1)).default([]),
        /** Of the toolset file_write. */
        approve,
      })
      .prefault({}),
    web: webSchema,
    terminal: terminalSchema,
  })
  .prefault({});
