// Writing a definition: numbers beside the lines, problems at theirs, indentation that stays.

const area = document.getElementById("text");
const gutter = document.querySelector(".gutter");
const checked = document.getElementById("checked");

function bad() {
  const found = new Map();
  for (const button of checked.querySelectorAll("[data-line]")) {
    const text = button.parentElement.textContent.trim();
    const line = Number(button.dataset.line);
    found.set(line, found.has(line) ? `${found.get(line)}\n${text}` : text);
  }
  return found;
}

function number() {
  const problems = bad();
  const count = area.value.split("\n").length;
  const lines = document.createDocumentFragment();
  for (let line = 1; line <= count; line += 1) {
    const element = document.createElement("div");
    element.textContent = line;
    if (problems.has(line)) {
      element.className = "bad";
      element.title = problems.get(line);
    }
    lines.append(element);
  }
  gutter.replaceChildren(lines);
  gutter.scrollTop = area.scrollTop;
}

function go(line) {
  const before = area.value.split("\n").slice(0, line - 1).join("\n");
  const start = line > 1 ? before.length + 1 : 0;
  const end = area.value.indexOf("\n", start);
  area.focus();
  area.setSelectionRange(start, end < 0 ? area.value.length : end);
  const height = parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, (line - 5) * height);
}

area.addEventListener("input", number);
area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });
document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target === checked) number(); });
checked.addEventListener("click", (event) => {
  const line = event.target.closest("[data-line]")?.dataset.line;
  if (line) go(Number(line));
});

// A new line begins where the one before it did. Through the browser, so that it can be undone.
area.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || area.readOnly) return;
  const line = area.value.slice(0, area.selectionStart).split("\n").pop();
  const indent = line.match(/^[ \t]*/)[0];
  if (!indent) return;
  event.preventDefault();
  document.execCommand("insertText", false, `\n${indent}`);
});

number();
