import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openBait } from "../../src/base/bait.ts";

it("counts who comes to either door, and refuses a path that is taken", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-bait-"));
  const path = join(folder, "socket");
  const bait = await openBait(path);
  const visit = (at: { path: string } | { port: number; host: string }): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = createConnection(at, () => {});
      socket.on("close", () => resolve());
      socket.on("error", reject);
      socket.resume();
    });
  await visit({ path });
  await visit({ port: bait.port, host: "127.0.0.1" });
  expect(bait.visitors()).toBe(2);
  await expect(openBait(path)).rejects.toThrow(/EADDRINUSE/);
  await bait.close();
  rmSync(folder, { recursive: true, force: true });
});
