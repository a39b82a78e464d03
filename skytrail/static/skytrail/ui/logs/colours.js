// Colours that a task has chosen, as far as they can be read on the ground that the reader has.

import { PLAIN } from "./ansi.js";

const SIXTEEN = [
  [0, 0, 0], [205, 49, 49], [13, 160, 100], [190, 150, 0], [36, 114, 200], [188, 63, 188], [17, 150, 190], [200, 200, 200],
  [110, 110, 110], [241, 76, 76], [35, 190, 120], [225, 190, 40], [59, 142, 234], [214, 112, 214], [41, 184, 219], [255, 255, 255],
];
// A little above AA's 4.5, so that it also holds on a marked line.
const CONTRAST = 5.2;

function rgbOf(colour) {
  if (Array.isArray(colour)) return colour;
  if (colour < 16) return SIXTEEN[colour];
  if (colour >= 232) return Array(3).fill(8 + (colour - 232) * 10);
  const cube = colour - 16;
  return [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((level) => (level ? 55 + level * 40 : 0));
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

// The colour itself, or as much nearer to black or white as it takes to be read.
function legible(rgb, ground) {
  const goal = extreme(ground);
  for (let share = 0; share < 1; share += 0.08) {
    const mixed = rgb.map((value, at) => Math.round(value + (goal[at] - value) * share));
    if (contrast(mixed, ground) >= CONTRAST) return mixed;
  }
  return goal;
}

// White or black: what is read better.
function extreme(ground) {
  const [white, black] = [[255, 255, 255], [0, 0, 0]];
  return contrast(white, ground) > contrast(black, ground) ? white : black;
}

export class Wardrobe {
  #known = new Map();

  // `ground` and `text` are the colours of the page, as [r, g, b].
  constructor(ground, text) {
    this.ground = ground;
    this.text = text;
  }

  isPlain(state) { return state === PLAIN; }

  // Gives an element the look of a piece of text but for its colours.
  shape(element, state) {
    for (const name of ["bold", "italic", "underline", "strike"]) element.classList.toggle(name, state[name]);
  }

  dress(element, state) {
    this.shape(element, state);
    // Dimmed colours could not be read.
    element.classList.toggle("dim", state.dim && state.fg === null && state.bg === null && !state.inverse);
    const [front, behind] = this.#colours(state);
    if (front) element.style.color = front;
    if (behind) element.style.backgroundColor = behind;
  }

  #colours({ fg, bg, inverse }) {
    if (fg === null && bg === null && !inverse) return [null, null];
    const key = `${fg}/${bg}/${inverse}`;
    let found = this.#known.get(key);
    if (!found) {
      found = this.#choose(fg, bg, inverse);
      if (this.#known.size > 4096) this.#known.clear();
      this.#known.set(key, found);
    }
    return found;
  }

  #choose(fg, bg, inverse) {
    let behind = bg === null ? this.ground : rgbOf(bg);
    // Who gives only a ground counts on text that can be read on it.
    let front = fg !== null ? rgbOf(fg) : bg === null ? this.text : extreme(behind);
    if (inverse) [front, behind] = [behind, front];
    const hasGround = bg !== null || inverse;
    return [css(legible(front, behind)), hasGround ? css(behind) : null];
  }
}

const css = (rgb) => `rgb(${rgb.join(" ")})`;
