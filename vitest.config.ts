import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 15_000,
  },
});
