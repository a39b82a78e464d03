// The lines of a log: kept as they came, looked into when they are shown.

import { PLAIN, pieces, plain, settle } from "./ansi.js";

const LEVEL = /\b(trace|debug|info|notice|warn(?:ing)?|error|critical|fatal|severe)\b|^Traceback /i;
const RANK = { trace: 0, debug: 0, info: 1, notice: 1, warn: 2, warning: 2, error: 3, critical: 3, fatal: 3, severe: 3 };

/** Characters at a line's beginning in which its level is looked for. */
const LOOKED_AT = 80;

export class Lines {
  constructor() {
    this.raw = [];
    this.levels = [];
    this.styles = [];
    this.open = "";
    this.style = PLAIN;
  }

  get length() { return this.raw.length; }

  /** Takes what has come; the last line counts once it has ended, or at the end. */
  add(text) {
    const parts = (this.open + text).split("\n");
    this.open = parts.pop();
    for (const part of parts) this.push(part);
  }

  /** Nothing more will come. */
  close() {
    if (this.open) this.push(this.open);
    this.open = "";
  }

  push(line) {
    const last = this.levels.length ? this.levels[this.levels.length - 1] : 1;
    let settled = line;
    this.styles.push(this.style);
    // Most lines have nothing of a terminal's in them.
    if (/[\x00-\x08\x0b-\x1f]/.test(line)) {
      settled = settle(line);
      if (settled.includes("\x1b[")) this.style = pieces(settled, this.style)[1];
    }
    const found = LEVEL.exec(settled.slice(0, LOOKED_AT));
    // What follows an error without a level of its own belongs to it.
    this.levels.push(found ? (found[1] ? RANK[found[1].toLowerCase()] : 3) : /^\s/.test(settled) ? last : 1);
    this.raw.push(settled);
  }

  text(index) { return plain(this.raw[index]); }

  pieces(index) { return pieces(this.raw[index], this.styles[index])[0]; }
}
