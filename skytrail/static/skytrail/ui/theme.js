// Light, dark, or what the system has; kept in a cookie, so that pages come in the right one.

import { keep } from "./cookies.js";

const NAME = "skytrail_theme";
const NEXT = { "": "dark", dark: "light", light: "" };

export function turn() {
  const root = document.documentElement;
  const next = NEXT[root.dataset.theme || ""];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  keep(NAME, next);
}

document.querySelector("[data-theme-button]").addEventListener("click", turn);
