// When a call of a tool waits for a person to allow it, as the config says for each toolset. Words and figures only.

/**
 * `always` asks for each call, `outside_workspace` for those of toolsets that reach beyond the workspace (that talk
 * to the outside, by the table of core/capabilities.ts), `never` for none.
 */
export const APPROVALS = ["always", "outside_workspace", "never"] as const;
export type Approval = (typeof APPROVALS)[number];

export interface ApprovalRule {
  readonly approve: Approval;
  /** The toolset reaches beyond the workspace. */
  readonly reachesOut: boolean;
  /** Nobody's answer for so long is a denial. */
  readonly timeoutMs: number;
}

/** Pure. */
export function asksFirst({ approve, reachesOut }: ApprovalRule): boolean {
  return approve === "always" || (approve === "outside_workspace" && reachesOut);
}

const YES = /^(y|yes|ok|okay|allow|allowed|approve|approved)[.!]?$/i;
const NO = /^(n|no|deny|denied)[.!]?$/i;

/** What a person said: anything but a plain yes is a no, and more than a plain no is its reason. Pure. */
export function verdictOf(answer: string): { readonly allowed: boolean; readonly reason: string | null } {
  const text = answer.trim();
  if (YES.test(text)) return { allowed: true, reason: null };
  return { allowed: false, reason: NO.test(text) || text === "" ? null : text };
}
