// Rows that are chosen together, the menu of narrow windows, and forms that submit themselves.

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.matches("[data-all]")) {
    for (const box of document.querySelectorAll("input[data-one]")) box.checked = target.checked;
  }
  if (target.matches("[data-all], [data-one]")) count();
  if (target.matches("[data-submits]")) target.form.requestSubmit();
});

function count() {
  const bar = document.querySelector("[data-chosen]");
  if (!bar) return;
  const chosen = document.querySelectorAll("input[data-one]:checked").length;
  bar.hidden = chosen === 0;
  const text = bar.querySelector("[data-count]");
  if (text) text.textContent = `${chosen} chosen`;
}
document.addEventListener("htmx:afterSwap", count);

const button = document.querySelector("[data-menu]");
const menu = document.getElementById("menu");
button.addEventListener("click", () => {
  const isOpen = menu.classList.toggle("open");
  button.setAttribute("aria-expanded", String(isOpen));
});

// What was found goes away when one looks elsewhere.
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search")) document.getElementById("found").replaceChildren();
  for (const open of document.querySelectorAll("details.who[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

// Half-written forms are not left by accident.
let isWritten = false;
document.addEventListener("input", (event) => {
  if (event.target.closest("form[data-keep]")) isWritten = true;
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-keep]")) isWritten = false;
});
window.addEventListener("beforeunload", (event) => {
  if (isWritten) event.preventDefault();
});
document.addEventListener("saved", () => {
  isWritten = false;
});
