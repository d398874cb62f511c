// What in a workspace no model gets to write, beside what it may not read (file-policy.ts): what a program runs or an
// agent obeys merely because it is there. It judges by names alone, where the file really is, and looks into no file.
// What a person has to run by hand (a Makefile, a test, package.json) is what agents are there to write, and is no rule
// here; nor is .github/workflows, which runs only what somebody pushes.

import { globMatches } from "./glob.ts";
import type { FilePolicy } from "./workspace.ts";

interface Rule {
  /** As a person would write it; it is named in the refusal. */
  readonly name: string;
  readonly matches: RegExp;
}

/** By the name of the file, or of any folder above it. */
const RULES: readonly Rule[] = [
  {
    name: "instructions to agents",
    matches:
      /^((agents?|claude|gemini|codex|copilot-instructions)(\.(local|override))?\.md|\.(cursor|windsurf|cline|goose)(rules|hints)|\.roorules.*|\.goosehints)$/,
  },
  {
    name: "the configuration of agents",
    matches:
      /^(\.(claude|cursor|codex|gemini|opencode|continue|windsurf|roo|kiro|amazonq|aider.*)|opencode\.jsonc?)$/,
  },
  {
    name: "the configuration of editors",
    matches:
      /^(\.(vscode|idea|fleet|zed|devcontainer)|\.devcontainer\.json|.*\.code-workspace|\.exrc|\.n?vimrc|\.dir-locals\.el)$/,
  },
  {
    name: "the configuration of package managers",
    matches: /^(\.yarnrc(\.ya?ml)?|\.pnpmfile\.[cm]?js|bunfig\.toml|pip\.conf|\.condarc|\.gemrc|\.cargo)$/,
  },
  {
    name: "what shells and tool managers run",
    matches:
      /^(\.envrc|\.direnv|\.mise(\..*)?\.toml|mise(\..*)?\.toml|\.mise|\.inputrc|\.screenrc|\.tmux\.conf|\.config)$/,
  },
  {
    name: "what git runs",
    matches:
      /^(\.githooks|\.husky|\.gitmodules|\.gitattributes|\.gitconfig|lefthook\.ya?ml|\.pre-commit-config\.ya?ml)$/,
  },
  { name: "keys of ssh", matches: /^authorized_keys2?$/ },
];

export interface WriteRules {
  /** Patterns of `tools.file.allow`: what the rules above keep back and may be written all the same. */
  readonly allow: readonly string[];
}

/** The policy for what is written. Contract: never throws; reads nothing. */
export function unwritableFiles({ allow }: WriteRules): FilePolicy {
  return (path, absolutePath) => {
    const names = absolutePath.toLowerCase().split("/");
    if (names.includes(".git"))
      return 'the rule ".git" keeps it back, because git runs what stands there; no config allows it.';
    const served = path.toLowerCase().split("/");
    const rule = RULES.find(({ matches }) => served.some((name) => matches.test(name)));
    if (rule === undefined || allow.some((pattern) => coversPath(pattern, path))) return null;
    return `the rule "${rule.name}" keeps it back, because programs obey such files unasked. tools.file.allow in the config lets some be written.`;
  };
}

/** The policy of `tools.file.deny`: neither read nor written. Contract: never throws; reads nothing. */
export function deniedFiles(patterns: readonly string[]): FilePolicy {
  return (path) => {
    const pattern = patterns.find((each) => coversPath(each, path));
    return pattern === undefined ? null : `tools.file.deny in the config names it (${pattern}).`;
  };
}

/** The policy of Troupe's own config: the next start would obey it. Contract: never throws; reads nothing. */
export function keptFiles(paths: readonly string[]): FilePolicy {
  return (_path, absolutePath) =>
    paths.includes(absolutePath)
      ? "it is the config that this server obeys at its next start; only a person writes it."
      : null;
}

/** The first reason of several policies. */
export function anyOf(policies: readonly FilePolicy[]): FilePolicy {
  return (path, absolutePath) => {
    for (const policy of policies) {
      const reason = policy(path, absolutePath);
      if (reason !== null) return reason;
    }
    return null;
  };
}

/** Whether a pattern stands for the path or for a folder above it. */
function coversPath(pattern: string, path: string): boolean {
  const names = path.split("/");
  return names.some((_, index) => globMatches(pattern, names.slice(0, index + 1).join("/")));
}
