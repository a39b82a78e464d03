// Reads a log as it comes, and goes on where it was when the connection breaks.

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;
// Milliseconds of work after which the page gets a turn.
const TURN = 10;
// A page that nobody looks at lets go: browsers have six connections to a host, for all tabs.
const HIDDEN = 10_000;

export class Reader {
  #received = 0;
  #decoder = new TextDecoder();
  #stop = null;
  #isHidden = false;
  #wake = () => {};

  // `onText` gets what is new, `onState` "reading", "live", "lost", "refused" (with a status) or "ended".
  constructor(address, { onText, onState }) {
    this.address = address;
    this.onText = onText;
    this.onState = onState;
    this.#letGoWhenHidden();
  }

  async run() {
    let wait = FIRST_WAIT;
    this.onState("reading");
    for (;;) {
      const before = this.#received;
      try {
        const status = await this.#read();
        this.onState(status ? "refused" : "ended", status);
        return;
      } catch (error) {
        if (this.#isHidden) {
          await new Promise((resolve) => { this.#wake = resolve; });
          continue;
        }
        if (!(error instanceof TypeError || error instanceof Unready || error.name === "AbortError")) throw error;
        if (this.#received > before) wait = FIRST_WAIT;
        this.onState("lost");
        await this.#rest(wait);
        wait = Math.min(wait * 2, LONGEST_WAIT);
      }
    }
  }

  // Reads to the end; a status where the server refuses for good.
  async #read() {
    this.#stop = new AbortController();
    const response = await fetch(this.address, {
      headers: { Accept: "text/plain" }, credentials: "same-origin", cache: "no-store", signal: this.#stop.signal,
    });
    if (!response.ok) {
      if (response.status >= 500 || response.status === 408 || response.status === 429) throw new Unready();
      return response.status;
    }
    this.onState("live");
    const stream = response.body.getReader();
    // The address begins at the beginning each time.
    let known = this.#received;
    let began = performance.now();
    for (;;) {
      const { done, value } = await stream.read();
      if (done) break;
      const fresh = value.subarray(Math.min(known, value.length));
      known -= value.length - fresh.length;
      this.#received += fresh.length;
      if (fresh.length) this.onText(this.#decoder.decode(fresh, { stream: true }));
      if (performance.now() - began > TURN) {
        await turn();
        began = performance.now();
      }
    }
    const rest = this.#decoder.decode();
    if (rest) this.onText(rest);
    return 0;
  }

  async #rest(milliseconds) {
    const back = new Promise((resolve) => { window.addEventListener("online", resolve, { once: true }); });
    await Promise.race([back, new Promise((resolve) => { setTimeout(resolve, milliseconds); })]);
  }

  #letGoWhenHidden() {
    let timer = 0;
    const hide = () => { this.#isHidden = true; this.#stop?.abort(); };
    const show = () => { clearTimeout(timer); this.#isHidden = false; this.#wake(); };
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) timer = setTimeout(hide, HIDDEN);
      else show();
    });
    window.addEventListener("pagehide", hide);
    window.addEventListener("pageshow", show);
  }
}

class Unready extends Error {}

function turn() {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { channel.port1.close(); resolve(); };
    channel.port2.postMessage(0);
  });
}
