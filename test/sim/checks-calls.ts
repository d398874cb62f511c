import type { Check } from "./check.ts";
export const CALL_CHECKS: readonly Check[] = [];
