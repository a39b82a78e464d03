// What programs write for terminals, as text in pieces with colours. Nothing else that a terminal
// would do is done: other sequences are dropped, other control characters are shown.

// Strings of a terminal's own (titles, links), then everything else that begins with ESC.
const STRINGS = /\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)/g;
const OTHERS = /\x1b(?:\[[0-?]*[ -/]*(?![m])[@-~]|[ -/]+[0-~]|[0-Z\\^-~])/g;
const COLOURS = /\x1b\[([0-9;:]*)m/g;
// What turns the direction of text, or is not seen at all.
const HIDDEN = /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

export const PLAIN = Object.freeze({ bold: false, dim: false, italic: false, underline: false, inverse: false, fg: "", bg: "" });

/** One line as it stands in the end: progress bars overwrite themselves. Colours stay in it. */
export function settle(line) {
  let text = line.replace(STRINGS, "").replace(OTHERS, "");
  if (text.includes("\r")) {
    const parts = text.replace(/\r+$/, "").split("\r");
    text = parts[parts.length - 1];
  }
  while (/[^\b]\x08/.test(text)) text = text.replace(/[^\b]\x08/g, "");
  return text;
}

/** The text alone, every character to be seen. */
export function plain(settled) {
  return visible(settled.replace(COLOURS, ""));
}

function visible(text) {
  return text
    .replace(CONTROLS, (each) => {
      const code = each.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd";
    })
    .replace(HIDDEN, (each) => `\u27e8U+${each.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`);
}

/** Pieces [{text, style}] of a settled line that begins in `style`, and the style that it ends in. */
export function pieces(settled, style = PLAIN) {
  const found = [];
  let from = 0;
  for (const match of settled.matchAll(COLOURS)) {
    if (match.index > from) found.push({ text: visible(settled.slice(from, match.index)), style });
    style = apply(style, match[1]);
    from = match.index + match[0].length;
  }
  if (from < settled.length) found.push({ text: visible(settled.slice(from)), style });
  return [found, style];
}

function apply(style, codes) {
  const next = { ...style };
  const numbers = codes.split(/[;:]/).map((word) => Number(word || 0));
  for (let i = 0; i < numbers.length; i += 1) {
    const n = numbers[i];
    if (n === 0) Object.assign(next, PLAIN);
    else if (n === 1) next.bold = true;
    else if (n === 2) next.dim = true;
    else if (n === 3) next.italic = true;
    else if (n === 4) next.underline = true;
    else if (n === 7) next.inverse = true;
    else if (n === 22) { next.bold = false; next.dim = false; }
    else if (n === 23) next.italic = false;
    else if (n === 24) next.underline = false;
    else if (n === 27) next.inverse = false;
    else if (n === 39) next.fg = "";
    else if (n === 49) next.bg = "";
    else if (n >= 30 && n <= 37) next.fg = String(n - 30);
    else if (n >= 90 && n <= 97) next.fg = String(n - 82);
    else if (n >= 40 && n <= 47) next.bg = String(n - 40);
    else if (n >= 100 && n <= 107) next.bg = String(n - 92);
    else if (n === 38 || n === 48) {
      const [colour, used] = extended(numbers.slice(i + 1));
      next[n === 38 ? "fg" : "bg"] = colour;
      i += used;
    }
  }
  return next;
}

const byte = (n) => Math.min(Math.max(n | 0, 0), 255);

function extended(rest) {
  if (rest[0] === 5) return [of256(byte(rest[1])), 2];
  if (rest[0] === 2) return [`rgb(${byte(rest[1])} ${byte(rest[2])} ${byte(rest[3])})`, 4];
  return ["", 0];
}

function of256(n) {
  if (n < 16) return String(n);
  if (n >= 232) { const grey = 8 + (n - 232) * 10; return `rgb(${grey} ${grey} ${grey})`; }
  const steps = [0, 95, 135, 175, 215, 255];
  const at = n - 16;
  return `rgb(${steps[Math.floor(at / 36)]} ${steps[Math.floor(at / 6) % 6]} ${steps[at % 6]})`;
}
