// Where Troupe runs, and with what left out. The same words stand in the README.

export interface SupportRow {
  readonly platform: string;
  readonly name: string;
  readonly support: string;
}

export const SUPPORT: readonly SupportRow[] = [
  { platform: "linux", name: "Linux", support: "whole" },
  { platform: "darwin", name: "macOS", support: "without sandbox and cgroups" },
  { platform: "win32", name: "Windows", support: "without sandbox and cgroups" },
];

/** The runtimes that run the sources as they are. */
export const RUNTIMES = "Node.js 22.18 or newer, Bun and Deno";

export function supportOf(platform: string): SupportRow | undefined {
  return SUPPORT.find((row) => row.platform === platform);
}
