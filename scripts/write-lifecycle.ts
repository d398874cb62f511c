// `npm run docs`: writes docs/lifecycle.md.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { lifecycleDocument } from "./lifecycle-document.ts";

writeFileSync(fileURLToPath(new URL("../docs/lifecycle.md", import.meta.url)), lifecycleDocument());
