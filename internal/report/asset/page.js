"use strict";
// What is drawn comes from the element "data". All text is set as text, never as markup.
// Once all is drawn, the body's data-state is "drawn"; an error stands there in its place.
window.onerror = (what) => { document.body.dataset.state = "error: " + what; };

const page = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
const dark = matchMedia("(prefers-color-scheme: dark)");

// look returns a line's colour and dashes.
function look(line) {
  const c = page.colours[line.colour % page.colours.length];
  return { colour: dark.matches ? c.dark : c.light, dashes: c.dashes };
}

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function add(parent, tag, text, className) {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  parent.append(e);
  return e;
}

// grouped writes a number for people: whole, or with three digits that say something.
function grouped(v) {
  if (typeof v !== "number") return v === null || v === undefined ? "" : v;
  return v.toLocaleString("en", Math.abs(v) >= 100 || Number.isInteger(v) ?
    { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}

// brief writes what stands at an axis: in k, M or G by the largest there, which has two
// digits before the unit.
function brief(v, largest) {
  if (v === null) return "";
  const [unit, size] = [["G", 1e9], ["M", 1e6], ["k", 1e3]].find(([, size]) => largest >= 10 * size) || ["", 1];
  return v === 0 ? "0" : grouped(v / size) + unit;
}

// labels writes what stands at an axis: in one unit, but for a logarithmic one.
function labels(ticks, log) {
  const largest = Math.max(...ticks.map((v) => v === null ? 0 : Math.abs(v)));
  return ticks.map((v) => brief(v, log ? 10 * Math.abs(v) : largest));
}

// save adds a link that saves what make returns, a URL, as a file. It is made when asked for.
function save(parent, name, file, make) {
  const a = add(parent, "a", name);
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

// picture draws a plot as it is shown, with its title and what its lines are.
function picture(u, p) {
  const from = u.ctx.canvas, scale = devicePixelRatio, top = 50 * scale;
  const canvas = document.createElement("canvas");
  canvas.width = from.width;
  canvas.height = from.height + top;
  const c = canvas.getContext("2d");
  c.fillStyle = style("--card");
  c.fillRect(0, 0, canvas.width, canvas.height);
  c.drawImage(from, 0, top);
  c.fillStyle = style("--ink");
  c.font = "bold " + 15 * scale + "px sans-serif";
  c.fillText(p.note ? p.title + " (" + p.note + ")" : p.title, 10 * scale, 20 * scale);
  c.font = 12 * scale + "px sans-serif";
  let at = 10 * scale;
  p.lines.forEach((l) => {
    c.strokeStyle = look(l).colour;
    c.lineWidth = 2 * scale;
    c.setLineDash(look(l).dashes.map((d) => d * scale));
    c.beginPath();
    c.moveTo(at, 38 * scale);
    c.lineTo(at + 24 * scale, 38 * scale);
    c.stroke();
    c.fillText(l.label, at + 30 * scale, 42 * scale);
    at += c.measureText(l.label).width + 48 * scale;
  });
  return canvas.toDataURL("image/png");
}

// axis returns the look of an axis.
function axis(label, more) {
  return {
    label, labelSize: 20, labelFont: "12px system-ui, sans-serif", font: "11px system-ui, sans-serif",
    stroke: style("--soft"), grid: { stroke: style("--grid"), width: 1 }, ticks: { stroke: style("--edge"), width: 1, size: 5 },
    ...more,
  };
}

// shown are the plots that are drawn: they follow the width of their boxes.
const shown = new Map();
const resized = new ResizeObserver((entries) => {
  for (const e of entries) {
    const u = shown.get(e.target), width = Math.floor(e.contentRect.width);
    if (u && u.width !== width) u.setSize({ width, height: u.height });
  }
});

// plot draws one plot over one of its scales. Those of one sync move together.
function plot(parent, name, p, over, sync) {
  const x = p.x[Math.min(over, p.x.length - 1)], few = x.values.length <= 60;
  const box = add(parent, "figure");
  box.dataset.name = name;
  const caption = add(box, "figcaption", p.title);
  const links = add(caption, "span", "save as", "save");
  const space = add(box, "div");
  const marks = x.marks ? { splits: () => x.values, filter: (_, splits) => splits } : {};
  const range = (u, least, most) => least === null ? [0, 1] : [Math.min(0, least), most > 0 ? most * 1.08 : 1];
  const u = new uPlot({
    width: Math.floor(space.clientWidth), height: 250,
    cursor: { sync: { key: sync, scales: ["x", null] }, points: { size: 7 } },
    scales: { x: { time: false, distr: x.log ? 3 : 1, range: (u, least, most) => [least, most > least ? most : least + 1] }, y: p.log_y ? { distr: 3 } : { range } },
    legend: { markers: { width: 3, stroke: (_, i) => look(p.lines[i - 1]).colour, dash: (_, i) => look(p.lines[i - 1]).dashes.length > 0 ? "dashed" : "solid" } },
    axes: [
      axis(x.label, { size: 34, values: (_, ticks) => labels(ticks, x.log), ...marks }),
      axis(p.y, { size: 56, values: (_, ticks) => labels(ticks, p.log_y) }),
    ],
    series: [{ label: x.label, value: (_, v) => grouped(v) }, ...p.lines.map((l) => ({
      label: l.label, stroke: look(l).colour, width: 1.75, dash: look(l).dashes, spanGaps: true,
      points: { show: few, size: 6, fill: look(l).colour }, value: (_, v) => grouped(v),
    }))],
  }, [x.values, ...p.lines.map((l) => l.values)], space);
  shown.set(space, u);
  resized.observe(space);
  save(links, "PNG", name + ".png", () => picture(u, p));
  save(links, "CSV", name + ".csv", () => csv([x.label, ...p.lines.map((l) => l.label)],
    x.values.map((v, i) => [v, ...p.lines.map((l) => l.values[i])])));
}

// choice draws a list to choose from.
function choice(parent, name, options, chosen, changed) {
  const label = add(parent, "label", name + " ");
  const select = add(label, "select");
  select.name = name;
  options.forEach((o, i) => { add(select, "option", o).value = i; });
  select.value = chosen;
  select.onchange = changed;
  return select;
}

// figure draws the plots of what is chosen, and again when something else is.
function figure(parent, section, f, number) {
  add(parent, "h3", f.title);
  if (f.about) add(parent, "p", f.about, "about");
  const bar = add(parent, "div", undefined, "bar");
  const plots = add(parent, "div", undefined, "plots");
  const draw = () => {
    const view = f.views.find((v) => v.of.every((o, i) => o === Number(selects[i].value)));
    for (const old of plots.children) {
      for (const space of old.children) {
        resized.unobserve(space);
        if (shown.has(space)) shown.get(space).destroy();
        shown.delete(space);
      }
    }
    plots.replaceChildren();
    const all = view === undefined ? [] : view.plots;
    for (const p of all) plot(plots, section.name + "-" + p.name, p, scale ? Number(scale.value) : 0, section.name + number);
    if (all.length === 0) add(plots, "p", "There is nothing for this choice.", "about");
  };
  const selects = f.choices.map((c) => choice(bar, c.name, c.options, c.first, draw));
  const scales = f.views.length > 0 && f.views[0].plots.length > 0 ? f.views[0].plots[0].x : [];
  const scale = scales.length > 1 ? choice(bar, "over", scales.map((s) => s.label), 0, draw) : null;
  bar.hidden = bar.children.length === 0;
  dark.addEventListener("change", draw);
  draw();
}

// rowsMax is how many rows of a table are shown.
const rowsMax = 1000;

// table draws rows, sorted by a column when its head is clicked, once more the other way.
function table(parent, section, t) {
  const title = add(parent, "div", undefined, "tablehead");
  add(title, "h3", t.title);
  save(add(title, "span", "save as", "save"), "CSV", section.name + "-" + t.name + ".csv", () => csv(t.columns.map((c) => c.key), t.rows));
  const rows = add(add(parent, "div", undefined, "scroll"), "table", undefined, "rows");
  rows.dataset.name = section.name + "-" + t.name;
  const head = add(add(rows, "thead"), "tr");
  const body = add(rows, "tbody");
  if (t.rows.length > rowsMax) {
    add(parent, "p", "The first " + grouped(rowsMax) + " of " + grouped(t.rows.length) + " rows; the CSV has all.", "about");
  }
  const fill = (list) => {
    body.replaceChildren();
    for (const r of list.slice(0, rowsMax)) {
      const tr = add(body, "tr");
      t.columns.forEach((c, i) => add(tr, "td", grouped(r[i]), c.text ? "text" : ""));
    }
  };
  // compare orders two values; what is not there is last either way.
  const compare = (c, way) => (a, b) => a === null || b === null ? (a === null) - (b === null) :
    way * (c.text ? String(a).localeCompare(String(b), "en", { numeric: true }) : a - b);
  t.columns.forEach((c, i) => {
    const th = add(head, "th", c.label, c.text ? "text" : "");
    if (i === t.sorted) th.setAttribute("aria-sort", t.ascending ? "ascending" : "descending");
    th.onclick = () => {
      const way = th.getAttribute("aria-sort") === "descending" ? 1 : -1;
      for (const other of head.children) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
      const order = compare(c, way);
      fill([...t.rows].sort((a, b) => order(a[i], b[i])));
    };
  });
  fill(t.rows);
}

function section(s) {
  const box = add(main, "section");
  box.id = s.name;
  add(box, "h2", s.title);
  add(box, "p", s.about, "about");
  const facts = add(box, "dl", undefined, "facts");
  for (const f of s.facts) {
    const one = add(facts, "div");
    add(one, "dt", f.label);
    add(one, "dd", grouped(f.value));
  }
  s.figures.forEach((f, i) => figure(box, s, f, i));
  for (const t of s.tables) table(box, s, t);
  if (page.sections.length > 1) add(document.getElementById("nav"), "a", s.title).href = "#" + s.name;
}

for (const s of page.sections) section(s);
document.body.dataset.state = "drawn";
