// Posts per hour: all as bars, flagged ones as lines on a scale of their own (they are few). Drawn by uPlot.

const HOUR_S = 3600;
const LABELS = ["hoax", "provocation", "hate"];
const ZONES = { WIB: "Asia/Jakarta", WITA: "Asia/Makassar", WIT: "Asia/Jayapura" };
const REDRAW_MS = 5000;
// Wider bars for longer stretches: about forty can be told apart in the width of a column.
const MAX_BARS = 44;
const STEPS_H = [1, 2, 3, 6, 12, 24];

const place = document.getElementById("chart");
const table = document.getElementById("chart-table");
const words = place.dataset;
const root = document.documentElement;
const locale = root.lang === "id" ? "id-ID" : "en-GB";
const timeZone = ZONES[root.dataset.zone] ?? ZONES.WIB;
const day = new Intl.DateTimeFormat(locale, { timeZone, day: "numeric", month: "short" });
const hour = new Intl.DateTimeFormat(locale, { timeZone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const numbers = new Intl.NumberFormat(locale);

let chart = null;
let drawnPosts = -1;
let drawnAt = 0;
let waiting = false;

const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

async function timeline(split) {
  const response = await fetch("/api/v1/stats/timeline?of=posts&interval=hour" + (split ? `&split=${split}` : ""));
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

function columns(all, labelled) {
  const index = new Map();
  const times = [];
  // From the first hour that has posts, so that a young house does not show a week of nothing.
  const end = Date.parse(all.until) / 1000;
  const first = all.points.length ? Date.parse(all.points[0].at) / 1000 : end;
  const step = HOUR_S * (STEPS_H.find((hours) => (end - first) / (hours * HOUR_S) <= MAX_BARS) ?? STEPS_H.at(-1));
  for (let at = first; at < end; at += HOUR_S) {
    if ((at - first) % step === 0) times.push(at);
    index.set(at, times.length - 1);
  }
  const series = { all: times.map(() => 0) };
  for (const label of LABELS) series[label] = times.map(() => 0);
  const put = (name, point) => {
    const at = index.get(Date.parse(point.at) / 1000);
    if (at !== undefined && series[name]) series[name][at] += point.count;
  };
  for (const point of all.points) put("all", point);
  for (const point of labelled.points) if (LABELS.includes(point.value)) put(point.value, point);
  return [times, series.all, ...LABELS.map((label) => series[label])];
}

function draw(data) {
  chart?.destroy();
  place.replaceChildren();
  if (!data[0].length) {
    place.textContent = words.none;
    return;
  }
  const whole = (u, ticks) => ticks.map((n) => (Number.isInteger(n) ? numbers.format(n) : ""));
  const shown = (u, n) => (n == null ? "" : numbers.format(n));
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  chart = new uPlot(
    {
      width: place.clientWidth,
      height: 260,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), timeZone),
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { all: { range: (u, low, high) => [0, Math.max(1, high)] }, few: { range: (u, low, high) => [0, Math.max(4, high)] } },
      axes: [
        { ...axis, grid: { show: false }, space: 60, incrs: [6, 12, 24, 48, 168].map((h) => h * HOUR_S),
          values: (u, ticks, index, space, step) => ticks.map((at) => (step < 24 * HOUR_S ? hour : day).format(at * 1000)) },
        { ...axis, scale: "all", size: 44, values: whole },
        { ...axis, scale: "few", side: 1, size: 36, grid: { show: false }, values: whole },
      ],
      series: [
        { label: words.when, value: (u, at) => (at == null ? "" : hour.format(at * 1000)) },
        { label: words.all, scale: "all", stroke: colour("--bar"), fill: colour("--bar"), width: 0, points: { show: false },
          value: shown, paths: uPlot.paths.bars({ size: [0.8, 30], align: 1 }) },
        ...LABELS.map((label) => ({ label: words[label], scale: "few", stroke: colour(`--${label}`), width: 2, points: { show: false },
          value: shown, paths: uPlot.paths.stepped({ align: 1 }) })),
      ],
    },
    data,
    place,
  );
}

function cell(tag, text, scope) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (scope) made.scope = scope;
  return made;
}

function row(cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

function tabulate([times, ...series]) {
  const days = new Map();
  times.forEach((at, n) => {
    const name = day.format(at * 1000);
    const sums = days.get(name) ?? series.map(() => 0);
    series.forEach((values, which) => (sums[which] += values[n]));
    days.set(name, sums);
  });
  const head = document.createElement("thead");
  head.append(row([words.when, words.all, ...LABELS.map((label) => words[label])].map((text) => cell("th", text, "col"))));
  const body = document.createElement("tbody");
  for (const [name, sums] of days) body.append(row([cell("th", name, "row"), ...sums.map((n) => cell("td", numbers.format(n)))]));
  table.replaceChildren(head, body);
}

async function update() {
  waiting = false;
  drawnAt = Date.now();
  try {
    const data = columns(...(await Promise.all([timeline(null), timeline("label")])));
    draw(data);
    tabulate(data);
  } catch {
    drawnPosts = -1; // the feed shows that updates are delayed; the next sums bring another try
  }
}

document.addEventListener("posts", (event) => {
  if (event.detail === drawnPosts || waiting) return;
  drawnPosts = event.detail;
  waiting = true;
  setTimeout(update, Math.max(0, drawnAt + REDRAW_MS - Date.now()));
});

let resizing = 0;
new ResizeObserver(() => {
  clearTimeout(resizing);
  resizing = setTimeout(() => chart?.setSize({ width: place.clientWidth, height: 260 }), 100);
}).observe(place);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
