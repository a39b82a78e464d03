// The keyboard: single keys, as long as nobody is writing.

import { turn } from "./theme.js";

const help = document.getElementById("help");
let isGoing = false;

const isWriting = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

const KEYS = {
  "/": () => search().focus(),
  "?": () => help.showModal(),
  t: turn,
  j: () => step(1),
  k: () => step(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target.matches("input[data-search]")) event.target.blur();
  if (event.key === "ArrowDown" && event.target.matches(".search input")) {
    const first = document.querySelector("#found a");
    if (first) { first.focus(); event.preventDefault(); }
  }
  if (isWriting(event.target) || document.querySelector("dialog[open]")) return;
  if (isGoing) {
    isGoing = false;
    const link = document.querySelector(`.menu [data-keys="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); location.assign(link.href); return; }
  }
  if (event.key === "g") { isGoing = true; setTimeout(() => { isGoing = false; }, 1500); return; }
  if (event.key === "Enter" && event.target === document.body) { open(); return; }
  const action = KEYS[event.key];
  if (action) { event.preventDefault(); action(); }
});

document.querySelector("[data-help]").addEventListener("click", () => help.showModal());

// The page's own search, where it has one.
function search() {
  return document.querySelector("main input[data-search]") || document.querySelector("input[data-search]");
}

const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a"));

function step(by) {
  const all = rows();
  if (all.length === 0) return;
  const here = all.findIndex((row) => row.getAttribute("aria-selected") === "true");
  const next = Math.min(Math.max(here + by, 0), all.length - 1);
  for (const row of all) row.removeAttribute("aria-selected");
  all[next].setAttribute("aria-selected", "true");
  all[next].scrollIntoView({ block: "nearest" });
}

function open() {
  const row = rows().find((each) => each.getAttribute("aria-selected") === "true");
  if (row) row.querySelector("a").click();
}
