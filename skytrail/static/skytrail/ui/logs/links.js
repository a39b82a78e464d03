// Lines in addresses: #L12 and #L12-L20, counted from one.

export function linesIn(hash) {
  const match = /^#L(\d{1,9})(?:-L?(\d{1,9}))?$/.exec(hash);
  if (!match) return null;
  const [one, other] = [Number(match[1]), Number(match[2] || match[1])];
  if (one < 1 || other < 1) return null;
  return { from: Math.min(one, other) - 1, to: Math.max(one, other) - 1 };
}

export function hashOf({ from, to }) {
  return from === to ? `#L${from + 1}` : `#L${from + 1}-L${to + 1}`;
}

// The page's address for somebody else: it says which try it is about, which by default is the latest.
export function linkTo(range, source) {
  const link = new URL(location.href);
  for (const name of ["attempt", "map_index"]) {
    const value = source.searchParams.get(name);
    if (value !== null) link.searchParams.set(name, value);
  }
  link.hash = hashOf(range);
  return link.href;
}

// The clipboard, also where a page without TLS may not write to it.
export async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { /* refused: the old way may still do */ }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "log-unseen";
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  return isDone;
}
