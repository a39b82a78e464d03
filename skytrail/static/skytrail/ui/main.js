// What every page does in the browser, beside htmx.

import "./asking.js";
import "./choosing.js";
import "./graph.js";
import "./keys.js";
import "./live.js";
import "./theme.js";
import "./times.js";
import "./trouble.js";
