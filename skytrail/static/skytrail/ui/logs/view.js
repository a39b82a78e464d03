// The lines that can be seen, and no others: however long a log is, few elements are on the page.

export const HEIGHT = 19;
const BEYOND = 12;

/** Characters of a line that are shown; the rest is a click away. */
const LONGEST = 2000;

const COLOURS = ["bold", "dim", "italic", "underline", "inverse"];

export class View {
  constructor(frame, lines) {
    this.frame = frame;
    this.lines = lines;
    this.shown = null; // indices of the lines that a filter lets through; null: all
    this.marked = [0, -1];
    this.needle = "";
    this.here = -1;
    this.space = document.createElement("div");
    this.space.className = "log-space";
    this.window = document.createElement("div");
    this.window.className = "log-window";
    this.space.append(this.window);
    frame.append(this.space);
    frame.addEventListener("scroll", () => this.later());
    new ResizeObserver(() => this.later()).observe(frame);
  }

  get count() { return this.shown ? this.shown.length : this.lines.length; }

  line(row) { return this.shown ? this.shown[row] : row; }

  row(line) { return this.shown ? this.shown.indexOf(line) : line; }

  later() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => { this.waits = false; this.draw(); });
  }

  draw() {
    this.space.style.height = `${this.count * HEIGHT}px`;
    const first = Math.max(0, Math.floor(this.frame.scrollTop / HEIGHT) - BEYOND);
    const last = Math.min(this.count, first + Math.ceil(this.frame.clientHeight / HEIGHT) + 2 * BEYOND);
    const rows = document.createDocumentFragment();
    for (let row = first; row < last; row += 1) rows.append(this.element(this.line(row)));
    this.window.style.top = `${first * HEIGHT}px`;
    this.window.replaceChildren(rows);
  }

  element(line) {
    const row = document.createElement("div");
    row.className = "log-line";
    row.dataset.level = this.lines.levels[line];
    if (line >= this.marked[0] && line <= this.marked[1]) row.classList.add("marked");
    if (line === this.here) row.classList.add("here");
    const number = document.createElement("a");
    number.href = `#L${line + 1}`;
    number.className = "log-number";
    number.textContent = line + 1;
    row.append(number);
    let left = LONGEST;
    for (const { text, style } of this.lines.pieces(line)) {
      if (left <= 0) break;
      this.write(row, text.slice(0, left), style);
      left -= text.length;
    }
    if (left < 0) {
      const more = document.createElement("button");
      more.type = "button";
      more.className = "plain small";
      more.dataset.whole = line;
      more.textContent = `… show all ${this.lines.text(line).length} characters`;
      row.append(more);
    }
    return row;
  }

  write(row, text, style) {
    const lower = this.needle ? text.toLowerCase() : "";
    let from = 0;
    for (let at = this.needle ? lower.indexOf(this.needle) : -1; at >= 0; at = lower.indexOf(this.needle, from)) {
      this.piece(row, "span", text.slice(from, at), style);
      this.piece(row, "mark", text.slice(at, at + this.needle.length), style);
      from = at + this.needle.length;
    }
    this.piece(row, "span", text.slice(from), style);
  }

  piece(row, tag, text, style) {
    if (!text) return;
    const element = document.createElement(tag);
    element.textContent = text;
    for (const name of COLOURS) if (style[name]) element.classList.add(`ansi-${name}`);
    for (const side of ["fg", "bg"]) {
      const colour = style[side];
      if (!colour) continue;
      if (colour.startsWith("rgb")) element.style[side === "fg" ? "color" : "backgroundColor"] = colour;
      else element.classList.add(`ansi-${side}-${colour}`);
    }
    row.append(element);
  }

  go(line, { middle = true } = {}) {
    const row = this.row(line);
    if (row < 0) return;
    this.frame.scrollTop = row * HEIGHT - (middle ? this.frame.clientHeight / 2 : 0);
    this.later();
  }

  get isAtEnd() {
    return this.frame.scrollTop + this.frame.clientHeight >= this.frame.scrollHeight - 2 * HEIGHT;
  }

  end() { this.frame.scrollTop = this.count * HEIGHT; this.later(); }
}
