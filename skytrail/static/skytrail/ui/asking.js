// Questions before an action: a part of a page, shown in a dialog.

const dialog = document.getElementById("ask");

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "asked" && !dialog.open) {
    dialog.showModal();
    const field = dialog.querySelector("[autofocus], input:not([type=hidden]), select, textarea, button");
    if (field) field.focus();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) dialog.close();
});

// The answer to what was asked has been given: the action is done.
document.addEventListener("done", () => {
  dialog.close();
  document.dispatchEvent(new CustomEvent("skytrail:moved"));
});
