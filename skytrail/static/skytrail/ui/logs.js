// A log on a page: <section class="logs" data-src="…" data-follow="true" data-download-name="…">.

import { Lines } from "./logs/lines.js";
import { read } from "./logs/reading.js";
import { View } from "./logs/view.js";

const WORDS = {
  ended: "complete",
  again: "the connection broke; trying again",
  broken: "the connection broke: reload the page",
  refused: "it cannot be read",
};

function begin(section) {
  const { src, follow, downloadName } = section.dataset;
  const lines = new Lines();
  const bar = toolbar(section, downloadName, src);
  const frame = document.createElement("div");
  frame.className = "log-frame";
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", "Lines of the log");
  section.querySelector(".empty")?.remove();
  section.append(bar.element, frame);
  const view = new View(frame, lines);
  let matches = [];
  let at = -1;

  const say = (text) => { bar.status.textContent = text; };
  const sum = () => `${lines.length.toLocaleString("en")} line${lines.length === 1 ? "" : "s"}`;

  function filter() {
    const least = Number(bar.level.value);
    view.shown = least ? [...lines.levels.keys()].filter((line) => lines.levels[line] >= least) : null;
  }

  function search({ jump }) {
    view.needle = bar.search.value.toLowerCase();
    matches = [];
    if (view.needle) {
      for (let row = 0; row < view.count; row += 1) {
        const line = view.line(row);
        if (lines.text(line).toLowerCase().includes(view.needle)) matches.push(line);
      }
    }
    if (jump) at = matches.length ? 0 : -1;
    show({ jump });
  }

  function show({ jump }) {
    view.here = at >= 0 ? matches[at] : -1;
    bar.found.textContent = view.needle ? (matches.length ? `${at + 1} of ${matches.length}` : "none") : "";
    if (jump && at >= 0) view.go(matches[at]);
    view.later();
  }

  function step(by) {
    if (!matches.length) return;
    at = (at + by + matches.length) % matches.length;
    bar.follow.checked = false;
    show({ jump: true });
  }

  let waits = false;
  function changed() {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      filter();
      if (view.needle) search({ jump: false });
      view.draw();
      if (bar.follow.checked) view.end();
      say(sum());
    });
  }

  function mark() {
    const found = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash);
    if (!found) return false;
    const first = Number(found[1]) - 1;
    view.marked = [first, Number(found[2] || found[1]) - 1];
    if (first >= lines.length) return false;
    bar.follow.checked = false;
    view.go(first);
    return true;
  }

  bar.search.addEventListener("input", () => search({ jump: true }));
  bar.search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); step(event.shiftKey ? -1 : 1); }
    if (event.key === "Escape") { bar.search.value = ""; search({ jump: false }); frame.focus(); }
  });
  bar.previous.addEventListener("click", () => step(-1));
  bar.next.addEventListener("click", () => step(1));
  bar.level.addEventListener("change", () => { filter(); search({ jump: false }); view.draw(); });
  bar.follow.addEventListener("change", () => { if (bar.follow.checked) view.end(); });
  frame.addEventListener("wheel", () => { requestAnimationFrame(() => { bar.follow.checked = view.isAtEnd && follow === "true"; }); });
  frame.addEventListener("click", (event) => {
    const number = event.target.closest(".log-number");
    if (number && event.shiftKey && view.marked[1] >= 0) {
      event.preventDefault();
      const line = Number(number.textContent);
      const [low, high] = [Math.min(line, view.marked[0] + 1), Math.max(line, view.marked[0] + 1)];
      history.replaceState(null, "", `#L${low}-L${high}`);
      view.marked = [low - 1, high - 1];
      view.later();
    }
    const whole = event.target.closest("[data-whole]");
    if (whole) showWhole(lines.text(Number(whole.dataset.whole)));
  });
  window.addEventListener("hashchange", () => { mark(); view.later(); });

  bar.follow.checked = follow === "true" && !location.hash.startsWith("#L");
  let isMarked = false;
  read(follow === "true" ? `${src}&follow=true` : src, {
    follow: follow === "true",
    take: (text) => {
      lines.add(text);
      changed();
      if (!isMarked) isMarked = mark();
    },
    say: (how) => {
      lines.close();
      changed();
      requestAnimationFrame(() => {
        if (!isMarked) mark();
        const empty = how === "ended" && lines.length === 0;
        say(empty ? "It has written nothing." : `${sum()}, ${WORDS[how]}`);
      });
    },
  });
  if (follow === "true") say("No output yet.");
}

function showWhole(text) {
  const dialog = document.createElement("dialog");
  const body = document.createElement("pre");
  body.textContent = text;
  const close = document.createElement("button");
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.append(body, close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function toolbar(section, name, src) {
  const make = (tag, fields = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), fields);
    element.append(...inside);
    return element;
  };
  const search = make("input", { type: "search", placeholder: "Search the log", ariaLabel: "Search the log" });
  const found = make("span", { className: "quiet small" });
  found.setAttribute("aria-live", "polite");
  const previous = make("button", { type: "button", className: "small", textContent: "↑", ariaLabel: "Match before" });
  const next = make("button", { type: "button", className: "small", textContent: "↓", ariaLabel: "Next match" });
  const level = make("select", { ariaLabel: "Least level" },
    ...[["0", "All levels"], ["1", "Info and above"], ["2", "Warnings and above"], ["3", "Errors"]]
      .map(([value, text]) => make("option", { value, textContent: text })));
  const follow = make("input", { type: "checkbox" });
  const download = make("a", { href: src, download: name || "log.txt", textContent: "Download" });
  const status = make("span", { className: "quiet small" });
  status.setAttribute("role", "status");
  const element = make("div", { className: "log-bar" }, search, found, previous, next, level,
    make("label", {}, follow, " follow"), download, status);
  return { element, search, found, previous, next, level, follow, status };
}

for (const section of document.querySelectorAll(".logs[data-src]")) begin(section);
