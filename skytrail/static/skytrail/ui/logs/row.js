// One line on the screen.

import { amount, el } from "./elements.js";

// Characters of a line that are shown at first, and how many more at a time.
export const SHOWN = 2_000;
export const MORE = 100_000;
// Pieces of different looks in one line: each is an element.
const MOST_PIECES = 500;

export function row({ line, level, text, pieces, limit, places, wardrobe, isMarked, isCurrent }) {
  const number = el("a", { className: "log-number", href: `#L${line + 1}`, text: String(line + 1), dataset: { line }, "aria-label": `Line ${line + 1}` });
  const words = el("span", { className: "log-text" });
  const shown = fill(words, pieces, places, limit, wardrobe);
  if (shown < text.length) words.append(more(line, text.length - shown, text.length));
  const made = el("div", { className: "log-row", dir: "ltr", dataset: { level } }, number, words);
  made.classList.toggle("marked", isMarked);
  made.classList.toggle("current", isCurrent);
  return made;
}

function more(line, rest, all) {
  const text = rest <= MORE ? `… show all ${amount(all)} characters` : `… show ${amount(MORE)} more of ${amount(all)} characters`;
  return el("button", { type: "button", className: "log-more", text, dataset: { more: line } });
}

// Writes as much as the limits allow; returns how many characters it was.
function fill(words, pieces, places, limit, wardrobe) {
  let at = 0;
  let count = 0;
  let next = 0;
  for (const { text, state } of pieces) {
    if (at >= limit || count >= Math.max(MOST_PIECES, limit / 8)) break;
    const end = Math.min(at + text.length, wholeCharacter(text, limit - at) + at);
    let from = at;
    while (from < end) {
      while (next < places.length && places[next][1] <= from) next += 1;
      const place = next < places.length ? places[next] : null;
      const isInside = place !== null && place[0] <= from;
      const to = Math.min(end, place === null ? end : isInside ? place[1] : place[0]);
      words.append(piece(text.slice(from - at, to - at), state, isInside, wardrobe));
      count += 1;
      from = to;
    }
    at = end;
  }
  return at;
}

// No half of a surrogate pair is shown.
function wholeCharacter(text, length) {
  const code = text.charCodeAt(length - 1);
  return length < text.length && code >= 0xd800 && code <= 0xdbff ? length + 1 : length;
}

function piece(text, state, isFound, wardrobe) {
  if (!isFound && wardrobe.isPlain(state)) return text;
  const span = el(isFound ? "mark" : "span", { text });
  if (isFound) wardrobe.shape(span, state);
  else wardrobe.dress(span, state);
  return span;
}
