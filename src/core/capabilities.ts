// What each toolset gives a task: A reads what strangers wrote, B touches private data, C talks to the outside. A task
// that holds all three can be told by a page to send a secret away, so it is refused at spawn unless the config grants
// it (ADR 0034). One table; it refuses nothing by itself, and no text that a model reads can change it.

/** The words of the three, as events, refusals and documents show them. */
export const CAPABILITIES = ["reads_untrusted", "private_data", "talks_out"] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** What the config says of capabilities. */
export interface CapabilitySettings {
  /** Agents by name whose tasks may hold all three (`tools.grants`). */
  readonly grants: readonly string[];
  /** The terminal's sandbox reaches the network (`tools.terminal.network`). */
  readonly terminalNetwork: boolean;
}

export const NO_GRANTS: CapabilitySettings = { grants: [], terminalNetwork: false };

/** Every toolset of this version stands here, so that a new one cannot be forgotten: its test compares. */
export const TOOLSET_CAPABILITIES: Readonly<Record<string, readonly Capability[]>> = {
  delegation: [],
  progress: [],
  ask: [],
  file: ["private_data"],
  file_write: ["private_data"],
  terminal: ["private_data"],
  web: ["reads_untrusted", "talks_out"],
};

/** Pure; what a task with these toolsets holds, each once, in the order of the words above. */
export function capabilitiesOf(
  toolsets: readonly string[],
  { terminalNetwork }: Pick<CapabilitySettings, "terminalNetwork">,
): readonly Capability[] {
  const held = new Set(
    toolsets.flatMap((name) =>
      Object.hasOwn(TOOLSET_CAPABILITIES, name) ? (TOOLSET_CAPABILITIES[name] ?? []) : [],
    ),
  );
  if (terminalNetwork && toolsets.includes("terminal")) held.add("talks_out");
  return CAPABILITIES.filter((each) => held.has(each));
}
