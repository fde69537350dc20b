// Keeps the coverage page up to date. What comes is escaped by the server.

import { follow } from "./follow.js";

const place = document.getElementById("coverage");
const live = document.getElementById("live");

follow(place.dataset.follow, {
  accept: "*/*",
  changed: async (response) => {
    const incoming = new DOMParser().parseFromString(await response.text(), "text/html").body;
    const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    place.replaceChildren(...[...incoming.childNodes].map((node) => document.importNode(node, true)));
    if (focused) [...place.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
  },
  state: (ok) => {
    live.classList.toggle("paused", !ok);
    const wanted = ok ? live.dataset.live : live.dataset.paused;
    if (live.firstElementChild.textContent !== wanted) live.firstElementChild.textContent = wanted;
  },
});
