"use strict";
// What is drawn comes from the element "data". All text is set as text, never as markup.
// Once all is drawn, the body's data-state is "drawn"; an error stands there in its place.
window.onerror = (what) => { document.body.dataset.state = "error: " + what; };

const colours = ["#1f6fb2", "#d9722b", "#2f8f4e", "#8a4fa3", "#b8323c", "#6b6f76"];
const page = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");

function add(parent, tag, text, className) {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  parent.append(e);
  return e;
}

function grouped(v) {
  if (typeof v !== "number") return v;
  return v.toLocaleString("en", v >= 100 || Number.isInteger(v) ?
    { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}

// save adds a link that saves what make returns, a URL, as a file. It is made when asked for.
function save(parent, name, file, make) {
  const a = add(parent, "a", name, "save");
  a.download = file;
  a.href = "#";
  a.addEventListener("click", () => { a.href = make(); });
}

// csv writes a table: a head, and rows of values.
function csv(head, rows) {
  const cell = (v) => v === null || v === undefined ? "" :
    /[",\n\r]/.test(v) ? '"' + String(v).replaceAll('"', '""') + '"' : String(v);
  const text = [head, ...rows].map((r) => r.map(cell).join(",") + "\n").join("");
  return "data:text/csv;charset=utf-8," + encodeURIComponent(text);
}

// picture draws a plot with its title and what its lines are, on white.
function picture(u, title, lines) {
  const from = u.ctx.canvas, scale = devicePixelRatio, top = 50 * scale;
  const canvas = document.createElement("canvas");
  canvas.width = from.width;
  canvas.height = from.height + top;
  const c = canvas.getContext("2d");
  c.fillStyle = "#ffffff";
  c.fillRect(0, 0, canvas.width, canvas.height);
  c.drawImage(from, 0, top);
  c.fillStyle = "#1d2430";
  c.font = "bold " + 16 * scale + "px sans-serif";
  c.fillText(title, 10 * scale, 20 * scale);
  c.font = 13 * scale + "px sans-serif";
  let at = 10 * scale;
  lines.forEach((l, i) => {
    c.fillStyle = colours[i % colours.length];
    c.fillText("— " + l.label, at, 40 * scale);
    at += c.measureText("— " + l.label).width + 16 * scale;
  });
  return canvas.toDataURL("image/png");
}

// plot draws lines over x. A line is { label, values }.
function plot(parent, title, xLabel, x, lines, more) {
  const opts = {
    title, width: Math.min(960, main.clientWidth || 960), height: 240,
    legend: { live: true },
    cursor: more.sync ? { sync: { key: more.sync } } : {},
    scales: { x: { time: false }, y: more.log ? { distr: 3 } : {} },
    axes: [{ label: xLabel }, { size: 80, values: (_, ticks) => ticks.map((v) => v === null ? "" : grouped(v)) }],
    series: [{ label: xLabel, value: (_, v) => v === null ? "" : grouped(v) }],
  };
  lines.forEach((l, i) => opts.series.push({
    label: l.label, stroke: colours[i % colours.length], width: 1.5, spanGaps: true,
    points: { show: x.length < 60 }, value: (_, v) => v === null || v === undefined ? "" : grouped(v),
  }));
  const box = add(parent, "div", undefined, "plot");
  const u = new uPlot(opts, [x, ...lines.map((l) => l.values)], box);
  const links = add(box, "p", "save as ", "about");
  save(links, "PNG", title + ".png", () => picture(u, title, lines));
  save(links, "CSV", title + ".csv", () => csv([xLabel, ...lines.map((l) => l.label)],
    x.map((v, i) => [v, ...lines.map((l) => l.values[i])])));
}

// rowsMax is how many rows of a table are shown.
const rowsMax = 1000;

// table draws rows, sorted by a column when its head is clicked, once more the other way.
function table(parent, columns, rows, name) {
  save(add(parent, "p", "save as ", "about"), "CSV", name + ".csv", () =>
    csv(columns.map((c) => c.key), rows.map((r) => columns.map((c) => r[c.key]))));
  const t = add(add(parent, "div", undefined, "scroll"), "table", undefined, "rows");
  t.dataset.name = name;
  const head = add(add(t, "thead"), "tr");
  const body = add(t, "tbody");
  if (rows.length > rowsMax) {
    add(parent, "p", "The first " + grouped(rowsMax) + " of " + grouped(rows.length) + " rows; the CSV has all.", "about");
  }
  const fill = (list) => {
    body.replaceChildren();
    for (const r of list.slice(0, rowsMax)) {
      const tr = add(body, "tr");
      for (const c of columns) add(tr, "td", grouped(r[c.key]), c.text ? "text" : "");
    }
  };
  for (const c of columns) {
    const th = add(head, "th", c.label, c.text ? "text" : "");
    th.onclick = () => {
      const way = th.getAttribute("aria-sort") === "descending" ? 1 : -1;
      for (const other of head.children) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
      fill([...rows].sort((a, b) => way * (c.text ?
        String(a[c.key]).localeCompare(String(b[c.key]), "en", { numeric: true }) : a[c.key] - b[c.key])));
    };
  }
  fill(rows);
}

// choice draws a list to choose from.
function choice(parent, name, options, chosen, changed) {
  const label = add(parent, "label", name + " ");
  const select = add(label, "select");
  select.name = name;
  for (const o of options) {
    const e = add(select, "option", o.label === undefined ? grouped(o) : o.label);
    e.value = o.key === undefined ? o : o.key;
  }
  select.value = chosen;
  select.onchange = changed;
  return select;
}

function record(r) {
  const box = add(main, "section");
  add(box, "h2", "Run of " + r.scenario);
  add(box, "p", r.file + ", seed " + r.seed + ": " + grouped(r.blocks.length) + " blocks, " +
    grouped(r.blocks.reduce((n, b) => n + b.deliveries, 0)) + " deliveries", "about");
  if (r.blocks.length > 0) {
    add(box, "h3", "Timeline");
    const bar = add(box, "div");
    const plots = add(box, "div", undefined, "timeline");
    const draw = () => {
      plots.replaceChildren();
      timeline(plots, r, axis.value);
    };
    const axis = choice(bar, "over", [{ key: "block", label: "blocks" }, { key: "seconds", label: "seconds" }], "block", draw);
    draw();
  }
  if (r.vats.length > 0) {
    add(box, "h3", "Cost of each vat");
    table(box, [
      { key: "vat", label: "vat", text: true }, { key: "name", label: "name", text: true },
      { key: "deliveries", label: "deliveries" }, { key: "fuel", label: "fuel" },
      { key: "bytes", label: "transcript bytes" }, { key: "page_ins", label: "page-ins" },
      { key: "replayed", label: "replayed" }, { key: "seconds", label: "seconds" },
      { key: "snapshots", label: "snapshots kept" }, { key: "snapshot_bytes", label: "their bytes" },
    ], r.vats, "vats");
  }
}

function timeline(parent, r, axis) {
  const x = r.blocks.map((b) => b[axis]);
  const of = (key) => r.blocks.map((b) => b[key]);
  const steps = (key) => r.blocks.map((b, i) => b[key] - (i > 0 ? r.blocks[i - 1][key] : 0));
  const name = axis === "block" ? "block" : "seconds";
  const sync = { sync: r.file + axis };
  plot(parent, "Vats in memory", name, x, [{ label: "paged in", values: of("paged_in") }], sync);
  plot(parent, "Page-ins in each block", name, x, [
    { label: "page-ins", values: steps("page_ins") }, { label: "evictions", values: steps("evictions") }], sync);
  plot(parent, "Deliveries replayed in each block", name, x, [{ label: "replayed", values: steps("replayed") }], sync);
  plot(parent, "Snapshots in each block", name, x, [{ label: "snapshots", values: steps("snapshots") },
    { label: "KiB stored", values: steps("snapshot_bytes").map((v) => v / 1024) }], sync);
  plot(parent, "Events that wait", name, x, [{ label: "queued", values: of("queued") }], sync);
}

const measures = [
  { key: "page_in_p50_us", label: "page-in, p50, µs" }, { key: "page_in_p99_us", label: "page-in, p99, µs" },
  { key: "snapshot_p50_us", label: "snapshot, p50, µs" }, { key: "snapshot_p99_us", label: "snapshot, p99, µs" },
  { key: "evict_p50_us", label: "evict, p50, µs" }, { key: "image_p50_us", label: "image after a crash, p50, µs" },
  { key: "snapshot_bytes", label: "snapshot, bytes" }, { key: "replay_per_s", label: "replay, deliveries/s" },
  { key: "resident_bytes", label: "resident, bytes" },
];
const axes = [
  { key: "heap_mib", label: "heap, MiB" }, { key: "dirty_pages", label: "pages written" },
  { key: "suffix", label: "suffix, deliveries" },
];

// keeping says how a point's vat is kept: the way, and the options that are not the default.
function keeping(p) {
  return [p.way, p.memory, p.detector, p.compression, p.prefetch].filter(Boolean).join(", ");
}

function surface(s) {
  const box = add(main, "section");
  add(box, "h2", "Surface of trade-offs");
  add(box, "p", s.file + ": " + grouped(s.points.length) + " points, each measured " + grouped(s.rounds) + " times", "about");
  add(box, "p", Object.entries(s.machine).filter((e) => e[1] !== "").map((e) => e[0] + " " + e[1]).join("; "), "about");
  const values = (key) => [...new Set(s.points.map((p) => p[key]))].sort((a, b) => a - b);
  const bar = add(box, "div");
  const plots = add(box, "div", undefined, "surface");
  const draw = () => {
    const others = axes.filter((a) => a.key !== axis.value);
    for (const a of axes) fixed[a.key].parentElement.hidden = a.key === axis.value;
    const x = values(axis.value);
    const at = (v, way) => s.points.find((p) => keeping(p) === way && p[axis.value] === v &&
      others.every((o) => p[o.key] === Number(fixed[o.key].value)));
    const ways = [...new Set(s.points.map(keeping))];
    const lines = ways.map((way) => ({
      label: way, values: x.map((v) => { const p = at(v, way); return p && p[measure.value] > 0 ? p[measure.value] : null; }),
    })).filter((l) => l.values.some((v) => v !== null));
    plots.replaceChildren();
    const title = measures.find((m) => m.key === measure.value).label;
    if (lines.length > 0) plot(plots, title, axes.find((a) => a.key === axis.value).label, x, lines, { log: true });
    else add(plots, "p", "No way has it at these points.");
  };
  const measure = choice(bar, "what", measures, "page_in_p50_us", draw);
  const axis = choice(bar, "over", axes, "heap_mib", draw);
  const fixed = {};
  for (const a of axes) {
    const all = values(a.key);
    fixed[a.key] = choice(bar, a.label, all, all[Math.floor(all.length / 2)], draw);
  }
  draw();
  add(box, "h3", "All points");
  table(box, [...axes, { key: "way", label: "way", text: true }, ...measures],
    s.points.map((p) => ({ ...p, way: keeping(p) })), "points");
}

for (const r of page.records) record(r);
for (const s of page.surfaces) surface(s);
document.body.dataset.state = "drawn";
