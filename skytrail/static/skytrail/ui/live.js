// What happens, as it happens: one stream a page. Marks change at once; parts that say more are
// asked for again, at most every two seconds, and less often the more pages are open.

const topics = document.body.dataset.topics.trim();
const light = document.querySelector(".live");

// Milliseconds between two times at which a part is asked for, at least; and for each page that is
// open anywhere: a hundred pages ask as often as ten, together.
const REST = 2000;
const REST_PER_PAGE = 200;
let rest = REST;

function show(key, state) {
  for (const element of document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)) {
    element.dataset.state = state;
    const word = element.querySelector(".word");
    if (word) word.textContent = state.replaceAll("_", " ");
    const glyph = element.querySelector(".mark");
    if (glyph) glyph.textContent = getComputedStyle(element).getPropertyValue("--glyph").replaceAll('"', "").trim();
    if (element.matches(".square, .cell")) element.title = element.title.replace(/^[a-z ]+/, state.replaceAll("_", " "));
  }
}

let isBehind = false;
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && isBehind) { isBehind = false; refresh(); }
});

const last = new WeakMap();
const pending = new WeakSet();

function refresh() {
  // Nobody looks: once for all when somebody does again.
  if (document.hidden) { isBehind = true; return; }
  for (const part of document.querySelectorAll("[data-refresh]")) {
    if (pending.has(part)) continue;
    pending.add(part);
    // Not all who look at the same thing ask at the same moment.
    const wait = Math.max(150, rest - (Date.now() - (last.get(part) || 0))) + Math.random() * 200;
    setTimeout(() => {
      pending.delete(part);
      last.set(part, Date.now());
      if (part.isConnected) htmx.trigger(part, "refresh");
    }, wait);
  }
}
document.addEventListener("skytrail:moved", refresh);

function say(is) {
  light.dataset.live = is;
  light.title = is === "on" ? "Changes are shown as they happen" : "No connection: trying again";
}

function listen() {
  const query = new URLSearchParams(topics.split(/\s+/).map((topic) => ["topic", topic]));
  const source = new EventSource(`/events/?${query}`);
  let wasAway = false;
  source.addEventListener("open", () => {
    say("on");
    if (wasAway) refresh();
    wasAway = false;
  });
  source.addEventListener("error", () => {
    say("off");
    wasAway = true;
    // A refusal closes it for good; the server may only be starting again.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
  source.addEventListener("moves", (event) => {
    const { runs, tasks, open } = JSON.parse(event.data);
    rest = Math.max(REST, open * REST_PER_PAGE);
    for (const [key, state] of [...runs, ...tasks]) show(key, state);
    refresh();
  });
  window.addEventListener("pagehide", () => source.close());
}

if (topics) listen();
else light.hidden = true;
