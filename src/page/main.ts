/// <reference lib="dom" />
/** The page: connects to the hub it came from and shows all that it hears. */
import { Dashboard } from "./dashboard.ts";

new Dashboard().start(document.body.dataset.token === "wanted");
