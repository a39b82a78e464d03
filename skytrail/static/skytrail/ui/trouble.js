// What htmx was answered where it was not what was hoped for: nothing on the page is lost by it.

import { tell } from "./telling.js";

const isLogin = (url) => new URL(url, location.href).pathname === "/admin/login/";

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (xhr.responseURL && isLogin(xhr.responseURL)) {
    event.detail.shouldSwap = false;
    const link = { href: "/admin/login/?next=/", text: "Log in again" };
    tell("You have been logged out. Nothing on this page is lost.", { level: "error", link });
  } else if (xhr.status >= 500 || xhr.status === 429) {
    event.detail.shouldSwap = false;
    tell("Skytrail could not answer that; it has been logged. Try again in a moment.", { level: "error" });
  } else if (xhr.status >= 400 && xhr.status !== 422 && requestConfig.verb !== "get") {
    event.detail.shouldSwap = false;
    const answer = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const note = answer.querySelector(".notice");
    tell(note ? note.textContent.trim() : `That was refused (${xhr.status}).`, { level: "error" });
  }
});

document.addEventListener("htmx:sendError", () => {
  tell("Skytrail cannot be reached. This page goes on as soon as it can.", { level: "error" });
});

// An action says what it did in the header HX-Trigger: {"told": {"text": …}}.
document.addEventListener("told", (event) => {
  tell(event.detail.text, { level: event.detail.level || "success" });
});
