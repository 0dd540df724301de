// One chart: lines over an axis, whose view is chosen by controls. It knows nothing of what the lines mean.

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (parent) parent.append(element);
  return element;
}

function made(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** A text whose long words may break at natural places. */
const breakable = (text) => text.split(/(?<=[-_,=/])|(?=\()/).flatMap((part) => [part, made("wbr")]).slice(0, -1);

/** The line of a strategy, as legends show it. */
function swatch(look) {
  const svg = drawn("svg", { class: `swatch look-${look}`, viewBox: "0 0 32 12", "aria-hidden": "true" });
  drawn("line", { class: "curve", x1: 0, y1: 6, x2: 32, y2: 6 }, svg);
  return svg;
}

/** A choice for the reader: a few short options stand side by side, others in a menu. */
function control(owner, { name, label, options }, value, choose) {
  const id = `${owner}-${name}`;
  if (options.length > 4 || options.some(([, text]) => text.length > 24)) {
    const select = made("select", { id, "data-choice": name });
    for (const [key, text] of options) select.append(made("option", { value: key }, text));
    select.value = value;
    select.addEventListener("change", () => choose(select.value));
    return made("div", { class: "control" }, made("label", { for: id }, label), select);
  }
  const segments = made("div", { class: "segments" });
  for (const [key, text] of options) {
    const radio = made("input", { type: "radio", name: id, value: key, "data-choice": name });
    radio.checked = key === value;
    radio.addEventListener("change", () => choose(key));
    segments.append(made("label", {}, radio, made("span", {}, text)));
  }
  return made("fieldset", { class: "control" }, made("legend", {}, label), segments);
}

/** Which strategies are shown, for all charts of the page; with whom to tell when that changes. */
class Visible {
  constructor(count) {
    this.hidden = new Set();
    this.count = count;
    this.listeners = [];
  }

  has(number) {
    return !this.hidden.has(number);
  }

  toggle(number) {
    if (!this.hidden.delete(number)) this.hidden.add(number);
    this.changed();
  }

  only(number) {
    this.hidden = new Set(Array.from({ length: this.count }, (_, other) => other).filter((other) => other !== number));
    this.changed();
  }

  all(shown) {
    this.hidden = new Set(shown ? [] : Array.from({ length: this.count }, (_, number) => number));
    this.changed();
  }

  changed() {
    for (const listener of this.listeners) listener();
  }
}

const FEW = 4; // bands of more strategies than this cover each other, and are shown on demand
const HEIGHT = { least: 260, most: 440, ratio: 0.58 };

class Chart {
  constructor(figure, model, strategies, order, visible) {
    Object.assign(this, { figure, model, strategies, visible });
    this.name = figure.dataset.chart;
    this.chosen = Object.fromEntries(model.choices.map((choice) => [choice.name, choice.start]));
    this.scales = { ...model.scales };
    for (const view of Object.values(model.views)) {
      view.lines = view.lines.map(([number, ...lists]) => [number, ...lists.map(unpacked)]);
    }
    this.position = null;
    this.focus = null;
    const shown = new Set(Object.values(model.views).flatMap((view) => view.lines.map((line) => line[0])));
    this.members = order.filter((number) => shown.has(number));
    this.banded = Object.values(model.views).some((view) => view.lines.some((line) => line[2]));
    this.bands = this.members.length <= FEW;
    this.build();
    visible.listeners.push(() => this.draw());
    new ResizeObserver(() => this.resized()).observe(this.plot);
  }

  get view() {
    return this.model.views[this.model.choices.map((choice) => this.chosen[choice.name]).join("|")];
  }

  get grid() {
    return this.model.grids[this.view.grid];
  }

  lines() {
    return this.view ? this.view.lines.filter(([number]) => this.visible.has(number)) : [];
  }

  // Building, once

  build() {
    this.plot = made("div", { class: "plot", tabindex: "0", role: "slider", "aria-orientation": "horizontal" });
    this.plot.setAttribute("aria-label", `${this.model.title}: position on the horizontal axis`);
    this.plot.setAttribute("aria-describedby", `${this.figure.id}-help`);
    this.legend = made("div", { class: "legend", role: "group", "aria-label": "Strategies shown" });
    this.body = made("div", { class: "chart-body" }, this.plot, this.legend);
    this.table = made("div", { class: "scroll tall", tabindex: "0", role: "region" });
    this.table.setAttribute("aria-label", `Numbers of: ${this.model.title}`);
    const copy = made("button", { type: "button", class: "button" }, "Copy all points as CSV");
    copy.addEventListener("click", () => copyText(this.csv(), copy));
    this.details = made("details", { class: "numbers" }, made("summary", {}, "The numbers as a table"), this.table, copy);
    this.details.addEventListener("toggle", () => this.fillTable());
    this.figure.prepend(this.controls(), this.body, this.details);
    this.figure.querySelector(".help").hidden = false;
    this.buildLegend();
    this.listen();
  }

  controls() {
    const row = made("div", { class: "controls" });
    const add = (choice, value, act) => row.append(control(this.name, choice, value, (chosen) => {
      act(chosen);
      this.draw();
    }));
    for (const choice of this.model.choices) {
      if (choice.options.length < 2) continue;
      add(choice, this.chosen[choice.name], (value) => {
        this.chosen[choice.name] = value;
        this.position = null;
      });
    }
    const options = [["linear", "linear"], ["log", "log"]];
    for (const [axis, label] of [["x", "Horizontal axis"], ["y", "Vertical axis"]]) {
      add({ name: `scale-${axis}`, label, options }, this.scales[axis], (value) => { this.scales[axis] = value; });
    }
    if (this.banded) {
      const shown = { name: "bands", label: "Bands", options: [["on", "shown"], ["off", "hidden"]] };
      add(shown, this.bands ? "on" : "off", (value) => { this.bands = value === "on"; });
    }
    return row;
  }

  buildLegend() {
    this.where = made("output", { "aria-live": "off" });
    this.what = made("span", { class: "what" });
    const tool = (text, act) => made("button", { type: "button", class: "button quiet", onclick: act }, text);
    this.keys = made("ul", { class: "keys" });
    this.rows = new Map();
    for (const number of this.members) {
      const { label, look } = this.strategies[number];
      const value = made("span", { class: "value" });
      const key = made("button", { type: "button", class: `key look-${look}`, "data-strategy": number },
        swatch(look), made("span", { class: "name" }, ...breakable(label)), value);
      key.addEventListener("click", (event) => (event.shiftKey ? this.visible.only(number) : this.visible.toggle(number)));
      for (const begin of ["pointerenter", "focus"]) key.addEventListener(begin, () => this.emphasise(number));
      for (const end of ["pointerleave", "blur"]) key.addEventListener(end, () => this.emphasise(null));
      this.rows.set(number, { key, value });
      this.keys.append(made("li", {}, key));
    }
    const tools = made("div", { class: "legend-tools" },
      tool("Show all", () => this.visible.all(true)), tool("Hide all", () => this.visible.all(false)));
    tools.append(made("span", { class: "hidden-text" }, "With the shift key, a strategy is shown alone."));
    this.legend.append(made("div", { class: "legend-head" }, this.where, this.what), tools, this.keys);
  }

  listen() {
    const at = (event) => this.moveTo(this.nearest(event.clientX));
    this.plot.addEventListener("pointermove", at);
    this.plot.addEventListener("pointerdown", at);
    this.plot.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && document.activeElement !== this.plot) this.moveTo(null);
    });
    this.plot.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    if (!this.view || event.ctrlKey || event.altKey || event.metaKey) return;
    const last = this.grid.length - 1;
    const page = Math.max(1, Math.round(last / 10));
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -page, PageUp: page };
    const here = this.position ?? this.resting();
    let target;
    if (event.key in steps) target = clamp(here + steps[event.key], 0, last);
    else if (event.key === "Home") target = 0;
    else if (event.key === "End") target = last;
    else if (event.key === "Escape") target = null;
    else return;
    event.preventDefault();
    this.moveTo(target);
  }

  // Drawing, after every change

  resized() {
    if (Math.abs(this.plot.clientWidth - (this.width ?? 0)) > 1) this.draw();
  }

  draw() {
    this.width = this.plot.clientWidth;
    for (const [number, { key }] of this.rows) key.setAttribute("aria-pressed", String(this.visible.has(number)));
    this.plot.replaceChildren();
    this.svg = null;
    const reason = this.emptiness();
    if (reason) this.plot.append(made("p", { class: "empty" }, reason));
    else if (this.width) this.drawLines();
    this.showPosition();
    this.fillTable();
  }

  emptiness() {
    const key = this.model.choices.map((choice) => this.chosen[choice.name]).join("|");
    if (!this.view) return this.model.missing[key] ?? "There are no such curves.";
    if (!this.lines().length) return "No strategy is shown.";
    return this.lines().some((line) => line[1].some((value) => value !== null)) ? "" : "Too few runs have a value.";
  }

  drawLines() {
    const { width } = this;
    const height = Math.round(clamp(width * HEIGHT.ratio, HEIGHT.least, HEIGHT.most));
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true", focusable: "false" });
    this.box = { top: 30, bottom: height - 44, left: 14, right: width - 14 };
    this.layOut();
    this.drawAxes(svg, width, height);
    const clip = `${this.figure.id}-clip`;
    const { left, right, top, bottom } = this.box;
    const region = drawn("clipPath", { id: clip }, drawn("defs", {}, svg));
    drawn("rect", { x: left - 2, y: top - 3, width: right - left + 4, height: bottom - top + 6 }, region);
    const inside = drawn("g", { "clip-path": `url(#${clip})` }, svg);
    for (const line of this.lines()) if (line[2]) this.drawBand(inside, line);
    for (const line of this.lines()) this.drawLine(inside, line);
    this.marks = drawn("g", {}, svg);
    this.svg = svg;
    this.plot.append(svg);
    this.paintEmphasis();
  }

  /** Find the ranges of both axes, and the room that the labels of the vertical one take. */
  layOut() {
    const { box, view } = this;
    const values = this.lines().flatMap(([, middle, low, high]) => (this.bands && low ? [middle, low, high] : [middle]).flat());
    const known = values.filter((value) => value !== null);
    const positive = known.filter((value) => value > 0);
    let [low, high] = view.range ?? [Math.min(...known), Math.max(...known)];
    this.zeros = false;
    if (this.scales.y === "log") {
      this.zeros = known.some((value) => value <= 0);
      high = Math.max(high, ...positive);
      low = this.zeros || !positive.length ? view.zeroAt : Math.min(...positive);
      if (!(high > low)) high = low * 10;
      const room = (high / low) ** 0.03;
      this.y = logScale(this.zeros ? low : low / room, high * room, box.bottom, box.top);
    } else {
      const room = (high - low || Math.abs(high) || 1) * 0.04;
      const fromZero = !view.range && low >= 0 && low <= room * 8;
      const scale = linearScale(fromZero ? 0 : low - room, high + room, box.bottom, box.top);
      this.y = view.range ? { ...scale, ticks: (most) => linearTicks(low, high, most) } : scale;
    }
    const gap = (tick) => Math.abs(this.y.at(tick) - box.bottom);
    const ticks = this.zeros && !positive.length ? [] : this.y.ticks(Math.floor((box.bottom - box.top) / 44));
    this.yTicks = ticks.filter((tick) => !this.zeros || gap(tick) > 14);
    const texts = this.yTicks.map(tickText).concat(this.zeros ? [view.zero ?? "0"] : []);
    box.left += Math.max(...texts.map((text) => text.length), 1) * 6.7 + 4;
    const [first, last] = [this.grid[0], this.grid[this.grid.length - 1]];
    const start = this.grid.find((value) => value > 0) ?? 1;
    this.x = this.scales.x === "log" && last > 0
      ? logScale(start, Math.max(last, start * 1.0001), box.left, box.right)
      : linearScale(Math.min(first, first < last * 0.2 && first > 0 ? 0 : first), last, box.left, box.right);
  }

  drawAxes(svg, width, height) {
    const { box } = this;
    const text = (content, attributes) => { drawn("text", attributes, svg).textContent = content; };
    for (const tick of this.yTicks) {
      const y = this.y.at(tick);
      drawn("line", { class: "grid", x1: box.left, x2: box.right, y1: y, y2: y }, svg);
      text(tickText(tick), { x: box.left - 8, y: y + 4, "text-anchor": "end" });
    }
    if (this.zeros) {
      drawn("line", { class: "zero", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }, svg);
      text(this.view.zero ?? "0", { x: box.left - 8, y: box.bottom + 4, "text-anchor": "end" });
    }
    let taken = -Infinity;
    for (const tick of this.x.ticks(Math.floor((box.right - box.left) / 70))) {
      const x = this.x.at(tick);
      const half = tickText(tick).length * 3.4;
      drawn("line", { class: "axis", x1: x, x2: x, y1: box.bottom, y2: box.bottom + 5 }, svg);
      if (x - half < taken + 6) continue;
      const anchor = x + half > width ? "end" : "middle";
      text(tickText(tick), { x: anchor === "end" ? width - 1 : x, y: box.bottom + 19, "text-anchor": anchor });
      taken = x + half;
    }
    drawn("path", { class: "axis", d: `M${box.left},${box.top}V${box.bottom}H${box.right}` }, svg);
    text(this.view.yLabel, { x: 2, y: 14, class: "strong" });
    text(this.view.xLabel, { x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle", class: "strong" });
  }

  drawLine(parent, [number, middle]) {
    const path = this.path(middle);
    drawn("path", { class: `curve look-${this.strategies[number].look}`, "data-strategy": number, d: path }, parent);
  }

  drawBand(parent, [number, , low, high]) {
    const d = this.pieces(low, high).map((piece) => {
      const upper = this.stairs(piece, high);
      const lower = this.stairs(piece, low).reverse();
      return `M${upper.concat(lower).map((point) => point.map(rounded).join(",")).join("L")}Z`;
    }).join("");
    if (d) drawn("path", { class: `band look-${this.strategies[number].look}`, "data-strategy": number, d }, parent);
  }

  path(values) {
    return this.pieces(values).map((piece) => {
      const [start, ...rest] = this.stairs(piece, values);
      return `M${start.map(rounded).join(",")}${rest.map((point) => `L${point.map(rounded).join(",")}`).join("")}`;
    }).join("");
  }

  /** Neighbouring places of the grid where all of the lists have values. */
  pieces(...lists) {
    const found = [];
    let piece = [];
    this.grid.forEach((_, place) => {
      if (lists.every((values) => values[place] !== null)) piece.push(place);
      else if (piece.length) { found.push(piece); piece = []; }
    });
    return piece.length ? [...found, piece] : found;
  }

  /** A value lasts until the next one: steps, not slopes. */
  stairs(places, values) {
    const points = [];
    places.forEach((place, number) => {
      const x = this.x.at(this.grid[place]);
      if (number) points.push([x, points[points.length - 1][1]]);
      points.push([x, this.y.at(values[place])]);
    });
    if (points.length === 1) points.push([points[0][0] + 1, points[0][1]]);
    return points;
  }

  // The readout

  nearest(clientX) {
    if (!this.svg) return null;
    const x = clientX - this.plot.getBoundingClientRect().left;
    let best = 0;
    this.grid.forEach((value, place) => {
      if (Math.abs(this.x.at(value) - x) < Math.abs(this.x.at(this.grid[best]) - x)) best = place;
    });
    return best;
  }

  /** Where values are read when nobody points at any: the last place at which most strategies have one. */
  resting() {
    const counts = this.grid.map((_, place) => this.lines().filter((line) => line[1][place] !== null).length);
    return counts.lastIndexOf(Math.max(...counts));
  }

  moveTo(position) {
    if (position === this.position) return;
    this.position = position;
    this.showPosition();
  }

  showPosition() {
    if (!this.view) {
      this.where.textContent = this.what.textContent = "";
      for (const { value } of this.rows.values()) value.replaceChildren();
      this.plot.removeAttribute("aria-valuenow");
      this.plot.setAttribute("aria-valuetext", "nothing to show");
      return;
    }
    const place = this.position ?? this.resting();
    this.where.textContent = `at ${fullText(this.grid[place])} ${this.view.xLabel}`;
    this.what.textContent = this.view.middle;
    this.fillLegend(place);
    this.mark(this.position);
    this.speak(place);
  }

  fillLegend(place) {
    const lines = new Map(this.view.lines.map((line) => [line[0], line]));
    const values = this.lines().map((line) => line[1][place]).filter((value) => value !== null);
    const decimals = decimalsOf(values);
    const best = this.view.best === "low" ? Math.min(...values) : Math.max(...values);
    for (const [number, { value }] of this.rows) {
      const line = lines.get(number);
      const middle = line ? line[1][place] : null;
      value.replaceChildren(made("span", {}, line ? numberText(middle, decimals) : "not run"));
      value.firstChild.className = middle !== null && middle === best && this.visible.has(number) ? "best" : "";
      if (line && line[2]) {
        const spread = `${numberText(line[2][place], decimals)} to ${numberText(line[3][place], decimals)}`;
        value.append(made("span", { class: "spread" }, spread));
      }
    }
  }

  mark(place) {
    if (!this.marks) return;
    this.marks.replaceChildren();
    if (place === null || !this.svg) return;
    const x = this.x.at(this.grid[place]);
    drawn("line", { class: "cursor", x1: x, x2: x, y1: this.box.top, y2: this.box.bottom }, this.marks);
    for (const [number, middle] of this.lines()) {
      if (middle[place] === null) continue;
      const attributes = { class: `marker look-${this.strategies[number].look}`, "data-strategy": number };
      drawn("circle", { ...attributes, cx: x, cy: this.y.at(middle[place]), r: 4 }, this.marks);
    }
  }

  /** What a screen reader says of the position. */
  speak(place) {
    this.plot.setAttribute("aria-valuemin", "0");
    this.plot.setAttribute("aria-valuemax", String(this.grid.length - 1));
    this.plot.setAttribute("aria-valuenow", String(place));
    const said = this.lines().map(([number, middle]) => `${this.strategies[number].label} ${fullText(middle[place])}`);
    this.plot.setAttribute("aria-valuetext", `${this.where.textContent}: ${said.join("; ") || "no strategy is shown"}`);
  }

  emphasise(number) {
    this.focus = number;
    this.paintEmphasis();
  }

  paintEmphasis() {
    if (!this.svg) return;
    const chosen = this.focus !== null && this.visible.has(this.focus) ? String(this.focus) : null;
    this.svg.classList.toggle("focused", chosen !== null);
    for (const element of this.svg.querySelectorAll("[data-strategy]")) {
      const own = element.dataset.strategy === chosen;
      element.classList.toggle("chosen", own);
      if (element.classList.contains("band")) element.toggleAttribute("hidden", !this.bands && !own);
    }
  }

  // The numbers

  fillTable() {
    this.table.replaceChildren();
    if (!this.details.open || !this.view) return;
    const places = spread(this.grid.length, 24);
    const head = made("tr", {}, made("th", { scope: "col" }, this.view.xLabel));
    for (const [number] of this.lines()) head.append(made("th", { scope: "col", class: "wrapped" }, this.strategies[number].label));
    const body = made("tbody");
    for (const place of places) {
      const row = made("tr", {}, made("th", { scope: "row" }, fullText(this.grid[place])));
      for (const [, middle, low, high] of this.lines()) {
        const cell = made("td", {}, fullText(middle[place]));
        if (low) cell.append(" ", made("span", { class: "spread" }, `[${fullText(low[place])}, ${fullText(high[place])}]`));
        row.append(cell);
      }
      body.append(row);
    }
    const caption = made("caption", {}, made("span", {}, `${this.view.yLabel}, ${this.view.middle}`));
    this.table.append(made("table", {}, caption, made("thead", {}, head), body));
  }

  csv() {
    if (!this.view) return "";
    const quoted = (text) => `"${String(text).replace(/"/g, '""')}"`;
    const rows = [["strategy", this.view.xLabel, "value", "low", "high"].map(quoted).join(",")];
    for (const [number, ...lists] of this.lines()) {
      this.grid.forEach((x, place) => {
        const values = lists.map((values) => (values ? values[place] : null) ?? "");
        rows.push([quoted(this.strategies[number].label), x, ...values].join(","));
      });
    }
    return `${rows.join("\n")}\n`;
  }
}

/** A list in which a pair stands for a value and how often it follows itself. */
const unpacked = (list) => list.flatMap((entry) => (Array.isArray(entry) ? Array(entry[1]).fill(entry[0]) : [entry]));

const rounded = (value) => Math.round(value * 10) / 10;

/** At most `most` of the places 0 .. count-1, the first and the last among them, closer together at the beginning. */
function spread(count, most) {
  if (count <= most) return Array.from({ length: count }, (_, place) => place);
  const places = Array.from({ length: most }, (_, number) => Math.round(((number / (most - 1)) ** 1.5) * (count - 1)));
  return [...new Set(places)];
}
