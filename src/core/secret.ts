// How the config writes a secret: `env:NAME`, `none`, or (for loopback endpoints only) the key itself.
// It reads no environment: that is done late, by credentials/.

export type SecretRef =
  | { readonly from: "env"; readonly name: string }
  | { readonly from: "literal"; readonly value: string }
  /** The server takes no key, and the person says so. */
  | { readonly from: "none" };

/** Contract: `null` for `env:` with something that is no variable name; never throws. */
export function parseSecretRef(text: string): SecretRef | null {
  const trimmed = text.trim();
  if (trimmed === "none") return { from: "none" };
  if (!/^env:/i.test(trimmed)) return { from: "literal", value: trimmed };
  const name = trimmed.slice(4).trim();
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? { from: "env", name } : null;
}

/** What templates and READMEs put where a key belongs. */
const PLACEHOLDERS: readonly RegExp[] = [
  /^$/,
  /^<.*>$/,
  /^\$\{?\w+\}?$/,
  /^(.)\1*$/,
  /\.\.\.|…/,
  /^(sk-)?x{3,}/i,
  /^(change|replace)[-_ ]?(me|this)/i,
  /^(sk-)?(your|my|insert|enter|put)[-_ ].*(key|token|secret)/i,
  /^(api[-_ ]?key|key|token|secret|todo|dummy|test|placeholder|example|null|undefined)$/i,
];

/** Whether a key is what a template left behind. Loopback servers take anything, so ask for remote ones only. */
export function isPlaceholder(key: string): boolean {
  const trimmed = key.trim();
  return PLACEHOLDERS.some((pattern) => pattern.test(trimmed));
}
