import type { Check } from "./check.ts";
export const TALK_CHECKS: readonly Check[] = [];
