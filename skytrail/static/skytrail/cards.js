// The task cards of a DAG's form: adding, removing, renaming, and suggesting what to depend on.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("dag_form");
  if (!form) return;
  warnBeforeLeaving(form);
  const list = document.getElementById("sky-cards");
  if (!list) return;

  const mains = JSON.parse(form.dataset.mains);
  const examples = JSON.parse(form.dataset.examples);
  const total = form.querySelector("[name=tasks-TOTAL_FORMS]");
  const cards = () => [...list.querySelectorAll("[data-card]")];
  const input = (card, name) => card.querySelector(`[data-field=${name}] :is(input, textarea, select)`);
  const words = (text) => text.split(",").map((word) => word.trim()).filter(Boolean);
  const idOf = (card) => input(card, "id").value.trim();

  /** The type decides which boxes there are, and what stands in them as an example. */
  function fit(card) {
    const kind = input(card, "type").value;
    const [name, example] = mains[kind] || [];
    const main = card.querySelector("[data-field=main]");
    main.hidden = !name;
    if (name) {
      main.querySelector("label").textContent = name[0].toUpperCase() + name.slice(1);
      input(card, "main").placeholder = example;
    }
    const rest = input(card, "parameters");
    rest.placeholder = examples[kind] || "";
    const mayHide = kind === "empty" && !rest.value.trim();
    card.querySelector("[data-field=parameters]").hidden =
      mayHide && !card.querySelector("[data-field=parameters]").classList.contains("errors");
    title(card);
  }

  function title(card) {
    card.querySelector("[data-title]").textContent = idOf(card) || "new task";
    card.querySelector("[data-kind]").textContent = input(card, "type").value;
    const upstream = words(input(card, "depends_on").value);
    card.querySelector("[data-after]").textContent = upstream.length ? `after ${upstream.join(", ")}` : "";
  }

  /** Whoever depended on a task goes on doing so under its new name. */
  function rename(card) {
    const now = idOf(card);
    const before = card.dataset.id || "";
    card.dataset.id = now;
    if (!before || !now || before === now) return;
    if (cards().some((other) => other !== card && idOf(other) === before)) return;
    for (const other of cards()) {
      const box = input(other, "depends_on");
      const upstream = words(box.value);
      if (upstream.includes(before)) {
        box.value = upstream.map((word) => (word === before ? now : word)).join(", ");
        title(other);
      }
    }
  }

  /** Below the dependencies: the tasks that could be added, by a click. */
  function suggest(card) {
    const field = card.querySelector("[data-field=depends_on]");
    const box = input(card, "depends_on");
    let place = field.querySelector(".sky-suggestions");
    if (!place) {
      place = document.createElement("div");
      place.className = "sky-suggestions";
      box.after(place);
    }
    const upstream = words(box.value);
    const typed = box.value.endsWith(",") ? "" : upstream[upstream.length - 1] || "";
    const known = cards().filter((other) => other !== card && !other.classList.contains("is-removed"))
      .map(idOf).filter(Boolean);
    const isPart = typed && !known.includes(typed);
    const free = known.filter((id) => !upstream.includes(id) && (!isPart || id.includes(typed)));
    place.replaceChildren(...free.slice(0, 12).map((id) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `+ ${id}`;
      button.addEventListener("click", () => {
        const kept = isPart ? upstream.slice(0, -1) : upstream;
        box.value = [...kept, id].join(", ");
        box.dispatchEvent(new Event("input", { bubbles: true }));
        box.focus();
      });
      return button;
    }));
  }

  function remove(card) {
    const removed = card.classList.toggle("is-removed");
    card.querySelector("[name$=-DELETE]").checked = removed;
    if (removed) card.open = false;
  }

  function ready(card) {
    card.dataset.id = idOf(card);
    fit(card);
    input(card, "type").addEventListener("change", () => fit(card));
    input(card, "id").addEventListener("input", () => title(card));
    input(card, "id").addEventListener("change", () => rename(card));
    const box = input(card, "depends_on");
    box.addEventListener("input", () => { title(card); suggest(card); });
    box.addEventListener("focus", () => suggest(card));
    card.querySelector("[data-remove]")?.addEventListener("click", (event) => {
      event.preventDefault();
      remove(card);
    });
  }

  document.getElementById("sky-add")?.addEventListener("click", () => {
    const index = Number(total.value);
    if (index >= Number(form.dataset.max)) {
      window.alert(`More than ${form.dataset.max} tasks are edited as JSON: save these first.`);
      return;
    }
    const html = document.getElementById("sky-empty").innerHTML.replaceAll("__prefix__", index);
    list.insertAdjacentHTML("beforeend", html);
    total.value = index + 1;
    const card = list.lastElementChild;
    card.open = true;
    ready(card);
    input(card, "id").focus();
  });

  cards().forEach(ready);
  (form.querySelector(".sky-field.errors") || form.querySelector("[role=alert]"))
    ?.scrollIntoView({ block: "center" });
});

/** Asks before typed text is lost. */
function warnBeforeLeaving(form) {
  let changed = Boolean(form.querySelector("[role=alert]"));
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}
