// Which key a child runs with: its own provider's, resolved when it is spawned, and never its parent's for another
// server. The bug that sank the proposal this grew from: children without a key, found out at their first call.

import { afterEach, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/base/errors.ts";
import { keyedBox, type KeyedBox, type KeyedOptions } from "./keyed-box.ts";

const HOME = "sk-home-1234567890abcdef";
const CLOUD = "sk-cloud-fedcba0987654321";
const BOTH: KeyedOptions = {
  homeKey: "env:HOME_KEY",
  cloudKey: "env:CLOUD_KEY",
  env: { HOME_KEY: HOME, CLOUD_KEY: CLOUD },
};

let box: KeyedBox;

async function open(options: KeyedOptions): Promise<string> {
  box = await keyedBox(options);
  return (await box.rig.api.createSession()).taskId;
}

afterEach(() => box.close());

describe("the credential of a child", () => {
  test("C1 a child on another provider runs with that provider's key, and its parent's never goes there", async () => {
    const session = await open(BOTH);
    const told = JSON.parse(
      await box.use(session, "delegate_task", { goal: "dig", agent: "cloudy" }),
    ) as unknown;
    expect(told).toMatchObject({ results: [{ state: "done", result: "ok" }] });
    expect(box.keysAt("cloud")).toEqual([`Bearer ${CLOUD}`]);
    expect(new Set(box.keysAt("home"))).toEqual(new Set([`Bearer ${HOME}`]));
  });

  test("C2 a child on its parent's provider runs with the same key", async () => {
    const session = await open(BOTH);
    await box.use(session, "delegate_task", { goal: "dig" });
    expect(box.keysAt("home")).toEqual([`Bearer ${HOME}`, `Bearer ${HOME}`, `Bearer ${HOME}`]);
    expect(box.keysAt("cloud")).toEqual([]);
  });

  test("C3 a child whose key is missing is refused at spawn, naming the variable and the config key", async () => {
    const session = await open({ ...BOTH, env: { HOME_KEY: HOME } });
    const told = await box.use(session, "delegate_task_async", { goal: "dig", agent: "cloudy" });
    expect(told).toMatch(/providers\.cloud\.api_key is env:CLOUD_KEY, but the environment has no CLOUD_KEY/);
    expect((await box.rig.api.check(session)).children).toEqual([]);
    expect(box.cloud.exchanges).toEqual([]);
  });

  test("C3 the blocking call is refused in the same words, and nobody waits", async () => {
    const session = await open({ ...BOTH, env: { HOME_KEY: HOME } });
    expect(await box.use(session, "delegate_task", { goal: "dig", agent: "cloudy" })).toContain("CLOUD_KEY");
    expect(box.rig.runtime.counts().living).toBe(1);
  });

  test("C3 one child without a key keeps its whole batch from being spawned", async () => {
    const session = await open({ ...BOTH, env: { HOME_KEY: HOME } });
    const tasks = [{ goal: "fine" }, { goal: "dig", agent: "cloudy" }];
    expect(await box.use(session, "delegate_task", { tasks })).toContain("CLOUD_KEY");
    expect((await box.rig.api.check(session)).children).toEqual([]);
  });

  test("C3 through the API it is a ConfigError with the key that would mend it", async () => {
    await open({ ...BOTH, env: { HOME_KEY: HOME } });
    const refused = box.rig.api.delegate({ goal: "dig", agent: "cloudy" });
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toMatchObject({
      code: "credential_missing",
      details: { config_key: "providers.cloud.api_key", variable: "CLOUD_KEY" },
    });
    expect((await box.rig.api.list({ kind: "task" })).items).toEqual([]);
  });

  test("a session whose own key is missing is not opened", async () => {
    box = await keyedBox({ ...BOTH, env: { CLOUD_KEY: CLOUD } });
    await expect(box.rig.api.createSession()).rejects.toMatchObject({ code: "credential_missing" });
    expect((await box.rig.api.list()).items).toEqual([]);
  });

  test("a key that is set later is found at the next spawn, without a restart", async () => {
    const env: Record<string, string | undefined> = { HOME_KEY: HOME };
    const session = await open({ ...BOTH, env });
    await box.use(session, "delegate_task_async", { goal: "dig", agent: "cloudy" });
    env["CLOUD_KEY"] = CLOUD;
    const { taskId } = await box.rig.api.delegate({ goal: "dig", agent: "cloudy", parentId: session });
    expect(await box.rig.api.collect(taskId)).toMatchObject({ state: "done" });
    expect(box.keysAt("cloud")).toEqual([`Bearer ${CLOUD}`]);
  });

  test("a key that was changed is used from the next generation on", async () => {
    const env: Record<string, string | undefined> = { HOME_KEY: HOME, CLOUD_KEY: CLOUD };
    await open({ ...BOTH, env });
    for (const key of [CLOUD, "sk-cloud-second-0123456789"]) {
      env["CLOUD_KEY"] = key;
      const { taskId } = await box.rig.api.delegate({ goal: "dig", agent: "cloudy" });
      await box.rig.api.collect(taskId);
    }
    expect(box.keysAt("cloud")).toEqual([`Bearer ${CLOUD}`, "Bearer sk-cloud-second-0123456789"]);
  });

  test("a key that goes away while the child waits fails it as credential_missing, with no other key tried", async () => {
    const env: Record<string, string | undefined> = { HOME_KEY: HOME, CLOUD_KEY: CLOUD };
    await open({ ...BOTH, env });
    await box.rig.api.pause(true);
    const { taskId } = await box.rig.api.delegate({ goal: "dig", agent: "cloudy" });
    delete env["CLOUD_KEY"];
    await box.rig.api.pause(false);
    const { state, failure } = await box.rig.api.collect(taskId);
    expect({ state, code: failure?.code }).toEqual({ state: "failed", code: "credential_missing" });
    expect(box.cloud.exchanges).toEqual([]);
  });

  test("a provider that needs no key gets none, whatever the parent has", async () => {
    await open({ homeKey: "env:HOME_KEY", env: { HOME_KEY: HOME, OPENAI_API_KEY: "sk-of-somebody-else" } });
    const { taskId } = await box.rig.api.delegate({ goal: "dig", agent: "cloudy" });
    expect(await box.rig.api.collect(taskId)).toMatchObject({ state: "done" });
    expect(box.keysAt("cloud")).toEqual([null]);
  });

  test("a literal key is taken for a server on this machine, as the well-known example has it", async () => {
    await open({ homeKey: "local-key", cloudKey: "none", env: {} });
    const { taskId } = await box.rig.api.delegate({ goal: "dig" });
    await box.rig.api.collect(taskId);
    expect(box.keysAt("home")).toEqual(["Bearer local-key"]);
  });

  test("C4 a server that repeats the key in its refusal does not get it into the failure, the events or the log", async () => {
    await open({
      ...BOTH,
      cloudAnswer: (exchange) =>
        exchange
          .head(401, { "content-type": "application/json" })
          .end(JSON.stringify({ error: { message: `Incorrect API key provided: ${CLOUD}` } })),
    });
    const { taskId } = await box.rig.api.delegate({ goal: "dig", agent: "cloudy" });
    const result = await box.rig.api.collect(taskId);
    expect(result.failure?.code).toMatch(/auth|unauthorized/);
    const all = JSON.stringify([
      result,
      await box.rig.store.events({ after: 0 }),
      await box.rig.store.transcript(taskId, {}),
      await box.rig.api.check(taskId),
    ]);
    expect(all).not.toContain(CLOUD);
  });
});
