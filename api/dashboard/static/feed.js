// Keeps the feed and the sums up to date. Items come escaped from the server; everything else is set as text.

import { follow } from "./follow.js";

const items = document.getElementById("items");
const live = document.getElementById("live");
const liveText = live.firstElementChild;
const numbers = new Intl.NumberFormat(document.documentElement.lang === "id" ? "id-ID" : "en-GB");

const trouble = new Set();
let news = 0;

function show() {
  live.classList.toggle("paused", trouble.size > 0);
  const wanted = trouble.size > 0 ? live.dataset.paused : news > 0 ? `${numbers.format(news)} ${live.dataset.new}` : live.dataset.live;
  // Written only when it changes: readers of screens hear each change once.
  if (liveText.textContent !== wanted) liveText.textContent = wanted;
}

function report(name) {
  return (ok) => {
    if (ok) trouble.delete(name);
    else trouble.add(name);
    show();
  };
}

function versions() {
  return new Map([...items.querySelectorAll("article")].map((item) => [item.dataset.id, item.dataset.version]));
}

function replaceItems(html) {
  const before = versions();
  const incoming = new DOMParser().parseFromString(html, "text/html").body;
  const focused = items.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  items.replaceChildren(...[...incoming.childNodes].map((node) => document.importNode(node, true)));
  let changed = 0;
  for (const item of items.querySelectorAll("article")) {
    if (before.get(item.dataset.id) !== item.dataset.version) {
      item.classList.add("fresh");
      changed += 1;
    }
  }
  news += changed;
  if (focused) [...items.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
}

function setNumber(selector, value) {
  const text = numbers.format(value);
  for (const place of document.querySelectorAll(selector)) {
    if (place.textContent !== text) place.textContent = text;
  }
}

if (items.dataset.follow === "yes") {
  follow("/feed" + location.search, {
    accept: "*/*",
    changed: async (response) => replaceItems(await response.text()),
    state: report("feed"),
  });
}

follow("/api/v1/stats", {
  accept: "application/json",
  changed: async (response) => {
    const stats = await response.json();
    for (const [name, value] of Object.entries(stats.conservation)) setNumber(`[data-count="${name}"]`, value);
    setNumber('[data-count="gaps"]', stats.gaps);
    setNumber('[data-count="posts"]', stats.posts);
    for (const place of document.querySelectorAll("[data-rule]")) {
      setNumber(`[data-rule="${place.dataset.rule}"]`, stats.alerts.by_rule[place.dataset.rule] ?? 0);
    }
    document.dispatchEvent(new CustomEvent("posts", { detail: stats.posts }));
  },
  state: report("stats"),
});
