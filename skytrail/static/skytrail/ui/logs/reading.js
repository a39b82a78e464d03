// Reading a log from its address, while it grows and across broken connections.

const AGAIN = 2000;

/** Calls `take(text)` with what comes, until the end; `say(status)` with how it goes. */
export async function read(address, { follow, take, say }) {
  let received = 0;
  for (;;) {
    try {
      await once(address, received, (text) => { received += text.length; take(text); });
      say("ended");
      return;
    } catch (error) {
      if (error.isRefused) { say("refused", error.message); return; }
      if (!follow) { say("broken"); return; }
      say("again");
      await new Promise((done) => { setTimeout(done, AGAIN); });
    }
  }
}

async function once(address, skip, take) {
  const answer = await fetch(address, { headers: { Accept: "text/plain, application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw Object.assign(new Error(`status ${answer.status}`), { isRefused: answer.status < 500 });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let left = skip;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    // What is known already is not taken twice.
    const text = left >= value.length ? "" : value.slice(left);
    left = Math.max(0, left - value.length);
    if (text) take(text);
  }
}
