// Looking around in a graph: drag to move, Ctrl and the wheel (or two fingers) to zoom, buttons.

const LARGEST = 1.25;

function begin(svg) {
  const [left, top, wide, high] = svg.getAttribute("viewBox").split(/[ ,]+/).map(Number);
  const view = { x: left, y: top, width: wide, height: high };
  let from = null;

  const put = () => svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);

  function fit() {
    const box = svg.getBoundingClientRect();
    if (box.width === 0) return;
    const margin = 24;
    const scale = Math.min(box.width / (wide + 2 * margin), box.height / (high + 2 * margin), LARGEST);
    view.width = box.width / scale;
    view.height = box.height / scale;
    view.x = left + wide / 2 - view.width / 2;
    view.y = top + high / 2 - view.height / 2;
    put();
  }

  function zoom(by, at) {
    const box = svg.getBoundingClientRect();
    const x = at ? (at.clientX - box.left) / box.width : 0.5;
    const y = at ? (at.clientY - box.top) / box.height : 0.5;
    const width = Math.min(Math.max(view.width / by, 80), 12 * Math.max(wide, 400));
    const height = view.height * (width / view.width);
    view.x += (view.width - width) * x;
    view.y += (view.height - height) * y;
    view.width = width;
    view.height = height;
    put();
  }

  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), event);
  }, { passive: false });

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = { x: event.clientX, y: event.clientY, moved: false };
  });
  svg.addEventListener("pointermove", (event) => {
    if (!from) return;
    const dx = event.clientX - from.x;
    const dy = event.clientY - from.y;
    if (!from.moved && Math.hypot(dx, dy) < 4) return;
    if (!from.moved) svg.setPointerCapture(event.pointerId);
    const box = svg.getBoundingClientRect();
    view.x -= dx * (view.width / box.width);
    view.y -= dy * (view.height / box.height);
    Object.assign(from, { x: event.clientX, y: event.clientY, moved: true });
    svg.classList.add("moving");
    put();
  });
  // A drag that begins on a task must not open it.
  svg.addEventListener("click", (event) => {
    if (svg.classList.contains("moving")) event.preventDefault();
    svg.classList.remove("moving");
  }, true);
  for (const name of ["pointerup", "pointercancel"]) {
    svg.addEventListener(name, () => {
      from = null;
      setTimeout(() => svg.classList.remove("moving"));
    });
  }
  svg.addEventListener("dragstart", (event) => event.preventDefault());

  // The edges of the task that is looked at stand out.
  const edges = [...svg.querySelectorAll(".edge")];
  let near = [];
  function show(event) {
    for (const edge of near) edge.classList.remove("near");
    const task = event.target.closest(".node")?.dataset.task;
    near = task === undefined ? [] : edges.filter((edge) => edge.dataset.from === task || edge.dataset.to === task);
    for (const edge of near) edge.classList.add("near");
  }
  svg.addEventListener("pointerover", show);
  svg.addEventListener("focusin", show);
  for (const name of ["pointerleave", "focusout"]) {
    svg.addEventListener(name, () => {
      for (const edge of near.splice(0)) edge.classList.remove("near");
    });
  }

  const tools = svg.closest(".graph-frame")?.querySelector(".graph-tools");
  tools?.addEventListener("click", (event) => {
    const how = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (how === "in") zoom(1.3);
    else if (how === "out") zoom(1 / 1.3);
    else if (how === "fit") fit();
  });
  fit();
  // The marks of states stand in the stylesheet, once for all pages.
  for (const node of svg.querySelectorAll(".node[data-state]")) {
    const glyph = getComputedStyle(node).getPropertyValue("--glyph").replaceAll('"', "");
    node.querySelector(".mark").textContent = glyph.trim();
  }
}

function all(root) {
  for (const svg of root.querySelectorAll("svg.graph:not([data-begun])")) {
    svg.dataset.begun = "";
    begin(svg);
  }
}

all(document);
document.addEventListener("htmx:load", (event) => all(event.detail.elt));
