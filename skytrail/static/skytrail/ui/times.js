// Times: in the reader's zone from the first page on, and counting where something goes on.

import { keep, kept } from "./cookies.js";

const NAME = "skytrail_zone";
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

// The server writes times in the zone of the cookie. On the first page, and where somebody has
// travelled, they are written anew here.
const isNew = Boolean(zone) && kept(NAME) !== zone;
if (isNew) {
  keep(NAME, zone);
  rewrite(document);
  const shown = document.querySelector(".zone");
  if (shown) shown.textContent = zone;
}

const two = (number) => String(number).padStart(2, "0");

function rewrite(root) {
  const pad = (number) => String(number).padStart(2, "0");
  for (const element of root.querySelectorAll("time[data-form=short], time[data-form=full]")) {
    const at = new Date(element.dateTime);
    const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
    const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
    const today = new Date();
    if (element.dataset.form === "full") {
      element.textContent = `${day} ${clock}:${pad(at.getSeconds())}`;
    } else if (at.toDateString() === today.toDateString()) {
      element.textContent = `${clock}:${pad(at.getSeconds())}`;
    } else if (at.getFullYear() === today.getFullYear()) {
      const month = at.toLocaleString("en", { month: "short" });
      element.textContent = `${at.getDate()} ${month} ${clock}`;
    } else {
      element.textContent = `${day} ${clock}`;
    }
  }
}

function inWords(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

function roughly(seconds) {
  if (seconds >= 86400) return `${Math.floor(seconds / 86400)} d`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h`;
  if (seconds >= 60) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds)} s`;
}

setInterval(() => {
  const now = Date.now();
  for (const element of document.querySelectorAll("[data-since]")) {
    element.textContent = inWords(Math.max(0, (now - Date.parse(element.dataset.since)) / 1000));
  }
  for (const element of document.querySelectorAll("time[data-form=ago]")) {
    const away = (Date.parse(element.dateTime) - now) / 1000;
    const text = roughly(Math.abs(away));
    element.textContent = Math.abs(away) < 1 ? "now" : away > 0 ? `in ${text}` : `${text} ago`;
  }
}, 1000);
