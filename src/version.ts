// The version of this Troupe, as package.json has it; test/docs.test.ts holds the two together.

export const VERSION = "0.1.0";
