// Finds lines, a few milliseconds at a time, in what is there and in what comes.

const TURN = 8;

export class Search {
  #seen = 0;
  #isBusy = false;
  #round = 0;

  // `isShown` says of a line whether it is among those shown; `onChange` is told when there is news.
  constructor(lines, { isShown, onChange }) {
    this.lines = lines;
    this.isShown = isShown;
    this.onChange = onChange;
    this.pattern = null;
    this.found = [];
    this.current = -1;
  }

  // Begins anew, with a text to look for; nothing is found with an empty one.
  look(words) {
    this.pattern = words ? new RegExp(words.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"), "i") : null;
    this.again();
  }

  again() {
    this.found = [];
    this.current = -1;
    this.#seen = 0;
    this.#round += 1;
    this.#isBusy = false;
    this.onChange();
    this.grow();
  }

  // There are new lines.
  grow() {
    if (this.pattern && !this.#isBusy) this.#work(this.#round);
  }

  // The line that was found next, or before, counted from line `from` when there is none yet.
  step(by, from) {
    const { found } = this;
    if (found.length === 0) return -1;
    if (this.current < 0) {
      const next = found.findIndex((line) => line >= from);
      if (by > 0) this.current = next < 0 ? 0 : next;
      else this.current = next > 0 ? next - 1 : found.length - 1;
    } else this.current = (this.current + by + found.length) % found.length;
    this.onChange();
    return found[this.current];
  }

  get line() { return this.current < 0 ? -1 : this.found[this.current]; }

  // Where a line has what is looked for: [from, to] of each.
  places(text) {
    const { pattern } = this;
    if (!pattern) return [];
    const places = [];
    for (const match of text.matchAll(new RegExp(pattern, "gi"))) places.push([match.index, match.index + match[0].length]);
    return places;
  }

  async #work(round) {
    this.#isBusy = true;
    const { lines } = this;
    while (this.#seen < lines.closed) {
      const until = performance.now() + TURN;
      while (this.#seen < lines.closed && performance.now() < until) {
        const end = Math.min(this.#seen + 200, lines.closed);
        for (; this.#seen < end; this.#seen += 1) {
          if (this.pattern.test(lines.text(this.#seen)) && this.isShown(this.#seen)) this.found.push(this.#seen);
        }
      }
      this.onChange();
      await new Promise((resolve) => { setTimeout(resolve); });
      if (round !== this.#round) return;
    }
    this.#isBusy = false;
  }
}
