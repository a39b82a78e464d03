// What terminals make of text: colours and overwriting are kept, every other sequence is removed,
// and characters that would hide or reorder text are shown by their names. Nothing here is markup.

export const PLAIN = Object.freeze({
  fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, strike: false, inverse: false,
});

// Controls but for the tab; direction marks, separators of lines, and what takes no room. (The two
// joiners stay: Persian and emoji are written with them.)
const ODD =
  "\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2064\\u2066-\\u2069\\ufeff";
const IS_ODD = new RegExp(`[${ODD}]`);
const TOKEN = new RegExp(
  [
    "\\x1b\\[([0-?]*)[ -/]*([@-~])", // CSI: colours are among them
    "\\x1b\\][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)", // OSC: titles and links
    "\\x1b[PX^_][^\\x1b]*\\x1b\\\\", // DCS, SOS, PM, APC
    "\\x1b[ -/]+[0-~]", // character sets
    // One that never ends hides nothing: only its beginning goes.
    "\\x1b[0-~]",
    `[${ODD}]`,
  ].join("|"),
  "g",
);

// Whether there is anything to do: most lines have nothing.
export const isOdd = (raw) => IS_ODD.test(raw);

// A line's pieces of one look each, its text, and the look in which the next line begins.
export function parse(raw, state = PLAIN) {
  if (!IS_ODD.test(raw)) return { pieces: raw ? [{ text: raw, state }] : [], text: raw, state };
  let pieces = [];
  let isOverwriting = false;
  const add = (text) => {
    if (!text) return;
    if (isOverwriting) pieces = [];
    isOverwriting = false;
    const last = pieces.at(-1);
    if (last && last.state === state) last.text += text;
    else pieces.push({ text, state });
  };
  let end = 0;
  for (const token of raw.matchAll(TOKEN)) {
    add(raw.slice(end, token.index));
    end = token.index + token[0].length;
    if (token[2] === "m") state = sgr(state, token[1]);
    else if (token[0].length > 1) continue;
    else if (token[0] === "\r") isOverwriting = true;
    else if (token[0] === "\b") back(pieces);
    else add(named(token[0]));
  }
  add(raw.slice(end));
  return { pieces, text: pieces.map((piece) => piece.text).join(""), state };
}

// A progress bar has drawn itself many times over: what its last drawing, and its look, begin with.
export function lastDrawing(raw, state) {
  const at = raw.lastIndexOf("\r", raw.length - 2);
  if (at < 0 || !parse(raw.slice(at + 1)).text) return { raw, state };
  return { raw: raw.slice(at + 1), state: parse(raw.slice(0, at), state).state };
}

function back(pieces) {
  const last = pieces.at(-1);
  if (!last) return;
  // Half of a pair is no character. Looked at from the end: there may be a megabyte before it.
  const isPair = last.text.length > 1 && last.text.codePointAt(last.text.length - 2) > 0xffff;
  last.text = last.text.slice(0, isPair ? -2 : -1);
  if (!last.text) pieces.pop();
}

function named(character) {
  const code = character.charCodeAt(0);
  // As `cat -v` writes them.
  if (code < 0x20) return `^${String.fromCharCode(0x40 + code)}`;
  if (code === 0x7f) return "^?";
  return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

// Select graphic rendition, as ECMA-48 and xterm have it. Colours: a number below 256, or [r, g, b].
function sgr(state, parameters) {
  if (/^[<=>?]/.test(parameters)) return state;
  const next = { ...state };
  const codes = parameters.split(";");
  for (let at = 0; at < codes.length; at += 1) {
    const parts = codes[at].split(":");
    const code = Number(parts[0] || 0);
    if (code === 38 || code === 48 || code === 58) {
      const [colour, used] = parts.length > 1 ? [colon(parts), 0] : extended(codes, at + 1);
      at += used;
      if (colour !== null && code !== 58) next[code === 38 ? "fg" : "bg"] = colour;
    } else if (code === 0) Object.assign(next, PLAIN);
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = parts[1] !== "0";
    else if (code === 7) next.inverse = true;
    else if (code === 9) next.strike = true;
    else if (code === 21) next.underline = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code === 27) next.inverse = false;
    else if (code === 29) next.strike = false;
    else if (code >= 30 && code <= 37) next.fg = code - 30;
    else if (code === 39) next.fg = null;
    else if (code >= 40 && code <= 47) next.bg = code - 40;
    else if (code === 49) next.bg = null;
    else if (code >= 90 && code <= 97) next.fg = code - 82;
    else if (code >= 100 && code <= 107) next.bg = code - 92;
  }
  const isPlain = Object.keys(PLAIN).every((name) => next[name] === PLAIN[name]);
  return isPlain ? PLAIN : next;
}

const byte = (text) => {
  const value = Number(text || 0);
  return Number.isInteger(value) && value >= 0 && value < 256 ? value : null;
};
const rgb = (parts) => {
  const values = parts.map(byte);
  return values.length === 3 && !values.includes(null) ? values : null;
};

// 38;5;n and 38;2;r;g;b: the colour, and how many codes it took.
function extended(codes, at) {
  if (codes[at] === "5") return [byte(codes[at + 1]), 2];
  if (codes[at] === "2") return [rgb(codes.slice(at + 1, at + 4)), 4];
  return [null, 0];
}

// 38:5:n, 38:2:r:g:b and 38:2:space:r:g:b.
function colon(parts) {
  if (parts[1] === "5") return byte(parts[2]);
  if (parts[1] === "2") return rgb(parts.length > 5 ? parts.slice(3, 6) : parts.slice(2, 5));
  return null;
}
