// The lines that can be seen, of however many there are: only they are elements.

import { Wardrobe } from "./colours.js";
import { el } from "./elements.js";
import { Heights } from "./heights.js";
import { MORE, SHOWN, row } from "./row.js";

// Pixels of a row, as the style sheet has them, and what is kept ready above and below.
const ROW = 20;
const READY = 400;
// Browsers do not know heights beyond some 17 million pixels.
const TALLEST = 10_000_000;

export class View {
  #heights = new Heights();
  #shown = null;
  #taken = 0;
  #rows = [];
  #from = 0;
  #limits = new Map();
  #frame = 0;
  // How far down the log the window begins, and what was the element's scrollTop for it.
  #place = 0;
  #was = 0;
  #columns = 80;
  #isStale = false;
  #width = 0;
  #isSideways = false;
  // The line to bring into the upper part of the window when it is drawn next.
  #revealed = -1;

  // `search` says what is looked for; `onFollow` is told when the reader scrolls away, or to the end.
  constructor(lines, { search, label, onFollow, onMark }) {
    this.lines = lines;
    this.search = search;
    this.onFollow = onFollow;
    this.onMark = onMark;
    this.level = 0;
    this.isWrapped = false;
    this.isFollowing = false;
    this.marked = null;
    this.window = el("div", { className: "log-window" });
    this.canvas = el("div", { className: "log-canvas" }, this.window);
    this.element = el("div", { className: "log-lines", tabIndex: 0, role: "region", "aria-label": label }, this.canvas);
    this.probe = el("span", { className: "log-probe", text: "x".repeat(100), "aria-hidden": "true" });
    this.element.append(this.probe);
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.window.addEventListener("click", (event) => this.#clicked(event));
    new ResizeObserver(() => this.#resized()).observe(this.element);
    this.#observeTheme();
  }

  // ------------------------------------------------------------- what is shown

  get count() { return this.#heights.size; }
  isShown(line) { return this.level === 0 || this.lines.level(line) >= this.level; }

  // There are new lines, or the last one has grown.
  grow() {
    const { lines } = this;
    if (this.#shown) {
      for (; this.#taken < lines.closed; this.#taken += 1) {
        if (!this.isShown(this.#taken)) continue;
        this.#shown.push(this.#taken);
        this.#heights.push(this.#guess(this.#taken));
      }
    } else {
      // A line that was open when it was taken may be longer now.
      const again = this.#taken - 1;
      for (; this.#taken < lines.length; this.#taken += 1) this.#heights.push(this.#guess(this.#taken));
      if (again >= 0) this.#renew(again);
    }
    this.#gutter();
    this.schedule();
  }

  filter(level) {
    const line = this.firstLine;
    this.level = level;
    this.#rebuild();
    if (!this.isFollowing) this.#goTo(this.#rowOf(line));
  }

  wrap(isOn) {
    const line = this.firstLine;
    this.isWrapped = isOn;
    this.element.classList.toggle("wrapped", isOn);
    this.#rebuild();
    if (!this.isFollowing) this.#goTo(this.#rowOf(line));
  }

  follow(isOn) {
    this.isFollowing = isOn;
    this.schedule();
  }

  mark(range) {
    this.marked = range;
    this.redraw();
  }

  // Shows a line in the upper part of the window.
  reveal(line) {
    this.isFollowing = false;
    this.#revealed = line;
    this.redraw();
  }

  // Shows where a line has what is looked for, however long the line is.
  revealFound(line) {
    const [, end] = this.search.places(this.lines.text(line))[0] ?? [0, 0];
    if (end > (this.#limits.get(line) ?? SHOWN)) {
      this.#limits.set(line, end + SHOWN);
      this.#heights.set(this.#rowOf(line), this.#guess(line));
    }
    this.reveal(line);
    this.#isSideways = true;
  }

  get firstLine() { return this.#lineAt(this.#heights.at(this.#place)); }

  // Draws all rows anew: what is marked, looked for, or how it looks has changed.
  redraw() {
    this.#isStale = true;
    this.schedule();
  }

  schedule() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => { this.#frame = 0; this.#render(); });
  }

  // ------------------------------------------------------------- rows and lines

  #lineAt(at) { return this.#shown ? this.#shown[at] ?? 0 : at; }

  // The row of a line, or of the next one that is shown.
  #rowOf(line) {
    if (!this.#shown) return Math.min(line, this.#heights.size - 1);
    let [low, high] = [0, this.#shown.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#shown[middle] < line) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #rebuild() {
    this.#heights.clear();
    this.#shown = this.level === 0 ? null : [];
    this.#taken = 0;
    this.#measureText();
    this.#isStale = true;
    this.grow();
  }

  #guess(line) {
    if (!this.isWrapped) return ROW;
    const shown = Math.min(this.lines.text(line).length, this.#limits.get(line) ?? SHOWN);
    return Math.max(1, Math.ceil(shown / this.#columns)) * ROW;
  }

  #renew(line) {
    this.#heights.set(line, this.#guess(line));
    const at = line - this.#from;
    if (at < 0 || at >= this.#rows.length) return;
    const fresh = this.#row(line);
    this.#rows[at].replaceWith(fresh);
    this.#rows[at] = fresh;
  }

  #row(at) {
    const { lines, search, marked, wardrobe } = this;
    const line = this.#lineAt(at);
    const text = lines.text(line);
    const limit = this.#limits.get(line) ?? SHOWN;
    return row({
      line, text, limit, wardrobe, level: lines.level(line), pieces: lines.pieces(line),
      places: search.places(text.slice(0, limit)),
      isMarked: marked !== null && line >= marked.from && line <= marked.to, isCurrent: line === search.line,
    });
  }

  // ------------------------------------------------------------- drawing

  #render() {
    const { element, window: rows } = this;
    const focused = this.#focused();
    if (this.#isStale) this.#forget();
    const total = this.#heights.total;
    this.canvas.style.height = `${Math.min(total, TALLEST)}px`;
    const height = element.clientHeight;
    if (this.#revealed >= 0) this.#place = this.#placeOf(this.#revealed, height);
    if (this.isFollowing) this.#place = Math.max(0, total - height);
    else this.#place = Math.max(0, Math.min(this.#place, total - height));
    if (this.#heights.size === 0) { this.#forget(); return; }
    for (let again = 0; again < 3; again += 1) {
      const first = this.#heights.at(this.#place);
      const inside = this.#place - this.#heights.before(first);
      const from = this.#heights.at(Math.max(0, this.#place - READY));
      const to = this.#heights.at(this.#place + height + READY) + 1;
      const fresh = this.#have(from, to);
      if (!this.isWrapped || !this.#measure(fresh)) break;
      const end = this.#heights.total;
      if (this.isFollowing) this.#place = Math.max(0, end - height);
      else if (this.#revealed >= 0) this.#place = this.#placeOf(this.#revealed, height);
      else this.#place = this.#heights.before(first) + inside;
      this.canvas.style.height = `${Math.min(end, TALLEST)}px`;
    }
    this.#revealed = -1;
    const scroll = Math.round(this.#toScroll(this.#place));
    if (Math.abs(element.scrollTop - scroll) >= 1) element.scrollTop = scroll;
    this.#was = element.scrollTop;
    const start = this.#heights.before(this.#from) - this.#place + this.#was;
    rows.style.transform = `translateY(${start}px)`;
    if (this.#isSideways) this.#sideways();
    if (focused !== null && this.#focused() === null) this.#focusAgain(focused);
  }

  // The line whose number has the keyboard's focus.
  #focused() {
    const { activeElement } = document;
    return this.window.contains(activeElement) ? activeElement.dataset.line ?? "" : null;
  }

  // Rows come and go; whoever uses the keyboard stays in the log.
  #focusAgain(line) {
    const number = this.window.querySelector(`.log-number[data-line="${line}"]`);
    (number ?? this.element).focus({ preventScroll: true });
  }

  // Scrolls to the left or right, as far as it takes to see what was found.
  #sideways() {
    this.#isSideways = false;
    const found = this.window.querySelector(".current mark")?.getBoundingClientRect();
    if (!found) return;
    const { left, right } = this.element.getBoundingClientRect();
    const margin = 100;
    if (found.left < left + margin) this.element.scrollLeft -= left + margin - found.left;
    else if (found.right > right - margin) this.element.scrollLeft += found.right - right + margin;
  }

  // Has rows from..to as elements; returns those that are new, by their places.
  #have(from, to) {
    const end = this.#from + this.#rows.length;
    if (from >= end || to <= this.#from) this.#forget();
    if (this.#rows.length === 0) this.#from = from;
    const fresh = [];
    while (this.#from < from) { this.#rows.shift().remove(); this.#from += 1; }
    while (this.#from + this.#rows.length > to) this.#rows.pop().remove();
    const before = [];
    for (let at = from; at < this.#from; at += 1) { before.push(this.#row(at)); fresh.push(at); }
    this.window.prepend(...before);
    this.#rows.unshift(...before);
    this.#from = from;
    const after = [];
    for (let at = from + this.#rows.length; at < to; at += 1) { after.push(this.#row(at)); fresh.push(at); }
    this.window.append(...after);
    this.#rows.push(...after);
    return fresh;
  }

  // Whether any row is of another height than was thought.
  #measure(fresh) {
    let isOther = false;
    for (const at of fresh) {
      const height = this.#rows[at - this.#from].offsetHeight;
      if (height !== this.#heights.get(at)) {
        this.#heights.set(at, height);
        isOther = true;
      }
    }
    return isOther;
  }

  #forget() {
    this.#isStale = false;
    this.window.replaceChildren();
    this.#rows = [];
    this.#from = 0;
  }

  // ------------------------------------------------------------- scrolling

  // Where a height is in an element that cannot be as high as the log.
  #scale() {
    const height = this.element.clientHeight;
    const total = this.#heights.total;
    return total <= TALLEST ? 1 : (TALLEST - height) / (total - height);
  }
  #toScroll(place) { return place * this.#scale(); }

  #goTo(at) {
    this.#place = this.#heights.before(Math.max(0, at));
    this.schedule();
  }

  #placeOf(line, height) {
    return Math.max(0, this.#heights.before(this.#rowOf(line)) - Math.floor(height / 3));
  }

  #scrolled() {
    const { element } = this;
    if (Math.abs(element.scrollTop - this.#was) < 1) return;
    const isUp = element.scrollTop < this.#was;
    const isAtEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 2;
    this.#place = element.scrollTop / this.#scale();
    this.#was = element.scrollTop;
    if (this.isFollowing && isUp && !isAtEnd) this.#tell(false);
    else if (!this.isFollowing && !isUp && isAtEnd) this.#tell(true);
    this.schedule();
  }

  #tell(isFollowing) {
    this.isFollowing = isFollowing;
    this.onFollow(isFollowing);
  }

  #clicked(event) {
    const number = event.target.closest(".log-number");
    const more = event.target.closest(".log-more");
    if (more) {
      const line = Number(more.dataset.more);
      const limit = this.#limits.get(line) ?? SHOWN;
      const rest = this.lines.text(line).length - limit;
      this.#limits.set(line, rest <= MORE ? Infinity : limit + MORE);
      const at = this.#rowOf(line);
      this.#heights.set(at, this.#guess(line));
      this.redraw();
      this.element.focus({ preventScroll: true });
    } else if (number && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.onMark(Number(number.dataset.line), event.shiftKey);
    }
  }

  // ------------------------------------------------------------- width and colours

  #gutter() {
    const digits = Math.max(4, String(this.lines.length).length);
    if (digits === this.digits) return;
    this.digits = digits;
    this.element.style.setProperty("--digits", digits);
    if (this.isWrapped) this.#rebuild();
  }

  #measureText() {
    const width = this.probe.getBoundingClientRect().width / 100 || 8;
    const room = this.element.clientWidth - (this.digits ?? 4) * width - 34;
    this.#columns = Math.max(10, Math.floor(room / width));
  }

  #resized() {
    const width = this.element.clientWidth;
    if (width !== this.#width && this.isWrapped && this.lines.length) {
      const line = this.firstLine;
      this.#rebuild();
      if (!this.isFollowing) this.#goTo(this.#rowOf(line));
    }
    this.#width = width;
    this.schedule();
  }

  #observeTheme() {
    const wear = () => {
      const style = getComputedStyle(this.element);
      this.wardrobe = new Wardrobe(rgbIn(style.backgroundColor), rgbIn(style.color));
      this.redraw();
    };
    // Not before it is in the page: there it has colours.
    requestAnimationFrame(wear);
    this.wardrobe = new Wardrobe([255, 255, 255], [0, 0, 0]);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", wear);
    new MutationObserver(wear).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }
}

const rgbIn = (colour) => (colour.match(/\d+(?:\.\d+)?/g) || [255, 255, 255]).slice(0, 3).map(Number);
