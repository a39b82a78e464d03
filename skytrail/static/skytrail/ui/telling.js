// Short notes in the corner: what an action did, or what went wrong.

const STAYS = { success: 6000, info: 6000 };

export function tell(text, { level = "info", link = null } = {}) {
  const note = document.createElement("div");
  note.className = "notice";
  note.dataset.level = level;
  const line = document.createElement("p");
  line.textContent = text;
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.text;
    anchor.target = "_blank";
    line.append(" ", anchor);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain small";
  close.textContent = "Close";
  close.addEventListener("click", () => note.remove());
  note.append(line, close);
  const place = document.getElementById("told");
  place.append(note);
  while (place.children.length > 4) place.firstChild.remove();
  if (STAYS[level]) setTimeout(() => note.remove(), STAYS[level]);
}
