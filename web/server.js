// The one client of the page: the API with this tab's token.

import { dropToken, token } from "./access.js";
import { Api } from "./api.js";
import { request } from "./browser.js";

export const api = new Api({ request, token: () => token.value, onRefused: dropToken });
