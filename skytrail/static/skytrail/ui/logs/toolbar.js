// What stands above the lines, and its words. Everything it does is told to `actions`.

import { amount, el } from "./elements.js";

const LEVELS = [["0", "All levels"], ["1", "Info and above"], ["2", "Warnings and errors"], ["3", "Errors"]];

export class Toolbar {
  constructor(actions, { isLive, download, downloadName, heading }) {
    this.isLive = isLive;
    this.lines = el("span", { className: "log-count" });
    this.status = el("span", { className: "log-status", role: "status", "aria-live": "polite" });
    this.search = el("input", {
      type: "search", placeholder: "Search the log", autocomplete: "off", spellcheck: false, "aria-label": "Search the log",
      title: "Enter: next. Shift and Enter: previous. Escape: clear.",
    });
    this.found = el("span", { className: "log-found", "aria-live": "polite" });
    this.back = button("↑", "Previous match", () => actions.step(-1));
    this.on = button("↓", "Next match", () => actions.step(1));
    this.level = el("select", { "aria-label": "Levels shown" }, ...LEVELS.map(([value, text]) => el("option", { value, text })));
    this.wrap = toggle("Wrap", "Break long lines", (isOn) => actions.wrap(isOn));
    this.follow = isLive
      ? toggle("Follow", "Stay at the end while more is written", (isOn) => actions.follow(isOn))
      : button("To the end", "Show the last line", () => actions.follow(true));
    this.copy = button("Copy link", "Copy a link to the marked lines. Click a line's number to mark it, with Shift for more.", () => actions.copy());
    this.copy.disabled = true;
    const save = el("a", { className: "log-button", href: download, download: downloadName, text: "Download", title: "The whole log as a file" });
    this.#listen(actions);
    this.element = el(
      "div", { className: "log-tools", role: "group", "aria-label": "Log" },
      el("div", { className: "log-about" }, ...(heading ? [heading] : []), this.lines, this.status),
      el("div", { className: "log-search", role: "search" }, this.search, this.found, this.back, this.on),
      el("div", { className: "log-choices" }, this.level, this.wrap, this.follow, this.copy, save),
    );
    this.showFound(null);
  }

  say(text, tone = "") {
    if (this.status.textContent !== text) this.status.textContent = text;
    this.status.dataset.tone = tone;
  }

  showLines(all, shown) {
    const word = all === 1 ? "line" : "lines";
    this.lines.textContent = all === 0 ? "" : shown === all ? `${amount(all)} ${word}` : `${amount(shown)} of ${amount(all)} ${word}`;
  }

  // `found` is null when nothing is looked for.
  showFound(found, current = -1) {
    const some = found !== null && found > 0;
    this.back.disabled = this.on.disabled = !some;
    this.search.setAttribute("aria-invalid", String(found === 0));
    if (found === null) this.found.textContent = "";
    else if (!some) this.found.textContent = "none";
    else this.found.textContent = current < 0 ? `${amount(found)} ${found === 1 ? "line" : "lines"}` : `${amount(current + 1)} of ${amount(found)}`;
  }

  press(name, isOn) { this[name].setAttribute("aria-pressed", String(isOn)); }

  #listen(actions) {
    let timer = 0;
    const look = () => { clearTimeout(timer); timer = 0; actions.look(this.search.value); };
    this.search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 120); });
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        if (timer) look();
        actions.step(event.shiftKey ? -1 : 1);
      } else if (event.key === "Escape" && this.search.value) {
        event.preventDefault();
        event.stopPropagation();
        this.search.value = "";
        look();
      }
    });
    this.level.addEventListener("change", () => actions.level(Number(this.level.value)));
  }
}

function button(text, label, action) {
  const made = el("button", { type: "button", text, title: label, className: "log-button" });
  if (text.length === 1) made.setAttribute("aria-label", label);
  made.addEventListener("click", action);
  return made;
}

function toggle(text, label, action) {
  const made = button(text, label, () => action(made.getAttribute("aria-pressed") !== "true"));
  made.setAttribute("aria-pressed", "false");
  return made;
}
