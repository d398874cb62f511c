// `troupe init`: asks the model servers of this machine what they have, and writes a config that says so in comments.

import { dirname, resolve } from "node:path";
import { toTroupeError } from "../base/errors.ts";
import { resolveSettings } from "../config/resolve.ts";
import { CONFIG_FILE, homeOf } from "../config/load.ts";
import { trustConfig } from "../config/unwritten.ts";
import { renderConfig, writeConfig } from "../config/write.ts";
import { configSchema } from "../core/config-schema.ts";
import type { ModelRef } from "../core/task.ts";
import { VERSION } from "../version.ts";
import type { Command } from "./command.ts";
import { survey } from "./survey.ts";

/** Contract: throws ConfigError `config_exists` without `--force`, `config_is_link`, and `config_unwritable`. */
export const init: Command = async ({ flags, world, printer }) => {
  const file = resolve(world.cwd, flags.text("config") ?? CONFIG_FILE);
  const config = configSchema.parse({});
  const { plans, discovery } = await survey({ config, file: null, baseDir: world.cwd }, world);
  let models: { readonly parent: ModelRef; readonly child: ModelRef } | null = null;
  let problem: string | null = null;
  try {
    const { env } = world;
    const facts = { config, discovery, env, baseDir: dirname(file), version: VERSION, boxId: "", link: null };
    const { settings } = resolveSettings(facts);
    models = { parent: settings.parentModel, child: settings.childModel };
  } catch (thrown) {
    // A config is worth writing without a model too: it says where to put one.
    problem = toTroupeError(thrown).message;
  }
  const parentModel = models && nameOf(models.parent);
  const childModel = models && nameOf(models.child);
  const text = renderConfig({ plans, discovery, parentModel, childModel });
  await writeConfig(file, text, { force: flags.has("force"), random: world.random });
  const home = homeOf(world.env);
  if (home !== null) await trustConfig(home, file);
  printer.document({ file, model: parentModel, delegationModel: childModel, problem });
  printer.data(file);
  printer.note(
    models === null
      ? [["yellow", "warning: "], `written without models. ${problem}`]
      : `parent: ${parentModel}; children: ${childModel}. Start with: ${printer.program} serve`,
  );
  return "ok";
};

function nameOf({ provider, model }: ModelRef): string {
  return `${provider}/${model}`;
}
