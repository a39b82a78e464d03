// The log as lines: what they look like is worked out when they are shown.

import { PLAIN, isOdd, lastDrawing, parse } from "./ansi.js";
import { Levels } from "./levels.js";

// A line that has not ended is read again with each piece, as long as it is no longer than this.
const SHORT = 100_000;
const DRAWN_OFTEN = 4_000;

export class Lines {
  #raw = [];
  #looks = [];
  #texts = [];
  #levels = [];
  #state = PLAIN;
  #leveller = new Levels();
  #isOpen = false;

  // Lines so far, one that has not ended among them.
  get length() { return this.#raw.length; }
  // Lines that will not change.
  get closed() { return this.#raw.length - (this.#isOpen ? 1 : 0); }

  // As people read and search it.
  text(index) { return this.#texts[index]; }
  level(index) { return this.#levels[index]; }
  pieces(index) {
    const text = this.#texts[index];
    const raw = this.#raw[index];
    // The text of most lines is all there is to them.
    if (raw === text) return text ? [{ text, state: this.#looks[index] }] : [];
    return parse(raw, this.#looks[index]).pieces;
  }

  append(text) {
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      this.#add(text.slice(from, at));
      this.#close();
      from = at + 1;
    }
    if (from < text.length) {
      this.#add(text.slice(from));
      this.#look();
    }
  }

  // Nothing more comes.
  end() {
    if (this.#isOpen) this.#close();
  }

  #add(part) {
    if (this.#isOpen) {
      this.#raw[this.#raw.length - 1] += part;
      return;
    }
    this.#isOpen = true;
    this.#raw.push(part);
    this.#looks.push(this.#state);
    this.#texts.push("");
    this.#levels.push(1);
  }

  #look() {
    const last = this.#raw.length - 1;
    if (this.#raw[last].length > DRAWN_OFTEN) {
      const drawn = lastDrawing(this.#raw[last], this.#looks[last]);
      this.#raw[last] = drawn.raw;
      this.#looks[last] = drawn.state;
    }
    if (this.#raw[last].length <= SHORT || !this.#texts[last]) this.#texts[last] = parse(this.#raw[last], this.#looks[last]).text;
  }

  #close() {
    const last = this.#raw.length - 1;
    const raw = this.#raw[last];
    if (isOdd(raw)) {
      const { text, state } = parse(raw, this.#looks[last]);
      this.#state = state;
      this.#texts[last] = text;
    } else {
      this.#texts[last] = raw;
      this.#state = this.#looks[last];
    }
    this.#levels[last] = this.#leveller.next(this.#texts[last]);
    this.#isOpen = false;
  }
}
