// Where rows of different heights begin, and which row is at a height: a Fenwick tree.

export class Heights {
  #size = 0;
  #heights = new Float64Array(1024);
  #sums = new Float64Array(1025);

  get size() { return this.#size; }
  get total() { return this.before(this.#size); }

  clear() { this.#size = 0; }

  push(height) {
    if (this.#size === this.#heights.length) this.#enlarge();
    this.#heights[this.#size] = height;
    this.#size += 1;
    const at = this.#size;
    let sum = height;
    for (let step = 1; step < (at & -at); step <<= 1) sum += this.#sums[at - step];
    this.#sums[at] = sum;
  }

  get(row) { return this.#heights[row]; }

  set(row, height) {
    const more = height - this.#heights[row];
    this.#heights[row] = height;
    for (let at = row + 1; at <= this.#size; at += at & -at) this.#sums[at] += more;
  }

  // The height of all rows before this one: where it begins.
  before(row) {
    let sum = 0;
    for (let at = row; at > 0; at -= at & -at) sum += this.#sums[at];
    return sum;
  }

  // The row at this height; the first or the last one beyond the ends.
  at(height) {
    let row = 0;
    let left = height;
    let step = 1;
    while (step * 2 <= this.#size) step *= 2;
    for (; step > 0; step = Math.floor(step / 2)) {
      if (row + step <= this.#size && this.#sums[row + step] <= left) {
        row += step;
        left -= this.#sums[row];
      }
    }
    return Math.max(0, Math.min(row, this.#size - 1));
  }

  #enlarge() {
    const heights = new Float64Array(this.#heights.length * 2);
    heights.set(this.#heights);
    const sums = new Float64Array(heights.length + 1);
    sums.set(this.#sums);
    this.#heights = heights;
    this.#sums = sums;
  }
}
