// The log of a task: `<section class="logs" data-src="…">` becomes a list of lines with search,
// levels, colours and links to lines, that is read as it comes. How is in logs/.

import { el } from "./logs/elements.js";
import { Lines } from "./logs/lines.js";
import { copy, hashOf, linesIn, linkTo } from "./logs/links.js";
import { Reader } from "./logs/reader.js";
import { Search } from "./logs/search.js";
import { Toolbar } from "./logs/toolbar.js";
import { View } from "./logs/view.js";

const WRAP = "skytrail-logs-wrap";

function show(section) {
  const source = new URL(section.dataset.src, location.href);
  const isLive = section.dataset.follow === "true";
  const followed = new URL(source);
  if (isLive) followed.searchParams.set("follow", "true");

  const lines = new Lines();
  const search = new Search(lines, { isShown: (line) => view.isShown(line), onChange: found });
  const view = new View(lines, { search, label: "Lines of the log", onFollow: followChanged, onMark: mark });
  const empty = el("p", { className: "log-empty", text: "Reading the log…" });
  const actions = { look, step, wrap, follow, copy: copyLink, level };
  const toolbar = new Toolbar(actions, {
    isLive, download: source.href, downloadName: section.dataset.downloadName || "task.log", heading: section.querySelector("h2"),
  });
  let wanted = linesIn(location.hash);
  let anchor = 0;
  let isOver = false;

  section.replaceChildren(toolbar.element, empty, view.element);
  section.classList.add("ready");
  view.element.hidden = true;
  wrap(remembered());
  if (isLive && !wanted) follow(true);

  // ------------------------------------------------------------- what comes

  new Reader(followed, { onText: add, onState: tell }).run();

  function add(text) {
    lines.append(text);
    grown();
  }

  function grown() {
    view.grow();
    search.grow();
    counted();
    if (wanted && (lines.length > wanted.to || isOver)) open();
  }

  function counted() {
    toolbar.showLines(lines.length, view.count);
    empty.hidden = view.count > 0;
    view.element.hidden = view.count === 0;
    if (lines.length > 0) empty.textContent = "No line of this level";
  }

  function tell(state, status) {
    if (state === "live") {
      toolbar.say(isLive ? "Following" : "Reading…", isLive ? "live" : "");
      if (isLive && lines.length === 0) empty.textContent = "No output yet";
    } else if (state === "lost") toolbar.say("Connection lost, trying again…", "warning");
    else if (state === "refused") {
      toolbar.say("Cannot be read", "danger");
      empty.textContent = refusal(status);
    } else if (state === "ended") ended();
  }

  function ended() {
    isOver = true;
    lines.end();
    grown();
    toolbar.say(isLive ? "Complete: the task has ended" : "Complete");
    if (lines.length === 0) empty.textContent = "The task wrote nothing";
  }

  // ------------------------------------------------------------- what the reader does

  function look(words) {
    search.look(words.trim());
    view.redraw();
    toolbar.showFound(search.pattern ? search.found.length : null);
  }

  function step(by) {
    const line = search.step(by, view.firstLine);
    if (line < 0) return;
    followChanged(false);
    view.revealFound(line);
  }

  function found() {
    toolbar.showFound(search.pattern ? search.found.length : null, search.current);
  }

  function level(least) {
    view.filter(least);
    search.again();
    toolbar.level.value = String(least);
    counted();
  }

  function wrap(isOn) {
    view.wrap(isOn);
    toolbar.press("wrap", isOn);
    remember(isOn);
  }

  function follow(isOn) {
    view.follow(isOn);
    followChanged(isOn);
  }

  function followChanged(isOn) {
    view.isFollowing = isOn;
    if (isLive) toolbar.press("follow", isOn);
  }

  // ------------------------------------------------------------- links to lines

  function mark(line, isRange) {
    if (!isRange || view.marked === null) anchor = line;
    const range = { from: Math.min(anchor, line), to: Math.max(anchor, line) };
    history.replaceState(history.state, "", hashOf(range));
    marked(range);
  }

  function marked(range) {
    view.mark(range);
    toolbar.copy.disabled = range === null;
  }

  function open() {
    const range = wanted;
    wanted = null;
    if (range.from >= lines.length) {
      toolbar.say(`There is no line ${range.from + 1}`, "warning");
      return;
    }
    if (!view.isShown(range.from)) level(0);
    anchor = range.from;
    marked(range);
    followChanged(false);
    view.reveal(range.from);
    // The page may begin far above the log.
    section.scrollIntoView({ block: "nearest" });
  }

  async function copyLink() {
    const isDone = await copy(linkTo(view.marked, source));
    toolbar.copy.textContent = isDone ? "Copied" : "Not copied";
    setTimeout(() => { toolbar.copy.textContent = "Copy link"; }, 2000);
  }

  window.addEventListener("hashchange", () => {
    wanted = linesIn(location.hash);
    if (wanted && (lines.length > wanted.to || isOver)) open();
  });
}

function refusal(status) {
  if (status === 401 || status === 403) return "You are not logged in any more, or may not see this log.";
  if (status === 404) return "This log is not there any more.";
  return `The server does not give out this log (${status}).`;
}

// Browsers may forbid to keep anything.
function remember(isOn) {
  try {
    localStorage.setItem(WRAP, isOn ? "1" : "");
  } catch { /* then it is not remembered */ }
}

function remembered() {
  try {
    return localStorage.getItem(WRAP) === "1";
  } catch {
    return false;
  }
}

for (const section of document.querySelectorAll("section.logs[data-src]")) show(section);
