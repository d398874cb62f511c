import type { Check } from "./check.ts";
export const ROOM_CHECKS: readonly Check[] = [];
