// One chart: lines over an axis, whose view is chosen by controls. It knows nothing of what the lines mean.

const FEW = 5; // bands of more strategies than this cover each other, and are shown on demand
const HEIGHT = { least: 260, most: 440, ratio: 0.58 };

class Chart {
  constructor(figure, model, strategies, order, visible, plot) {
    Object.assign(this, { figure, model, strategies, visible, plotCommand: plot });
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
    copy.addEventListener("click", () => copyText(csv(this), copy));
    this.details = made("details", { class: "numbers" }, made("summary", {}, "The numbers as a table"), this.table, copy);
    this.details.addEventListener("toggle", () => fillNumbers(this));
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
    const axes = [["x", "Horizontal axis"], ["y", "Vertical axis"]];
    for (const [axis, label] of this.model.even ? axes : axes.slice(1)) {
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
        swatch(this.strategies[number]), made("span", { class: "name" }, ...breakable(label)), value);
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
    for (const [number, { key }] of this.rows) {
      key.setAttribute("aria-pressed", String(!this.visible.hidden.has(number)));
      key.parentElement.hidden = !this.visible.matches(number);
    }
    this.showCommand();
    this.plot.replaceChildren();
    this.svg = null;
    const reason = this.emptiness();
    if (reason) this.plot.append(made("p", { class: "empty" }, reason));
    else if (this.width) this.drawLines();
    this.showPosition();
    fillNumbers(this);
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
    layOut(this);
    drawAxes(this, svg, width, height);
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

  drawLine(parent, [number, middle]) {
    const { look, marker } = this.strategies[number];
    drawn("path", { class: `curve look-${look}`, "data-strategy": number, d: stepPath(this, middle) }, parent);
    if (!marker) return;
    for (const place of spread(this, this.members.length > 12 ? 4 : 7, number)) {
      if (middle[place] === null) continue;
      const transform = `translate(${rounded(this.x.at(this.grid[place]))} ${rounded(this.y.at(middle[place]))})`;
      drawn("path", { class: `shape look-${look}`, "data-strategy": number, d: marker, transform }, parent);
    }
  }

  drawBand(parent, [number, , low, high]) {
    const d = bandPath(this, low, high);
    if (d) drawn("path", { class: `band look-${this.strategies[number].look}`, "data-strategy": number, d }, parent);
  }

  // The readout

  nearest(clientX) {
    if (!this.svg) return null;
    return closest(this, clientX - this.plot.getBoundingClientRect().left);
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

  /** The command that draws the chart with the choices of now. */
  showCommand() {
    const code = this.figure.querySelector(".command code");
    if (!code) return;
    const added = this.model.choices.map(({ name, options, arguments: given }) => {
      return given[options.findIndex(([key]) => key === this.chosen[name])] ?? "";
    });
    added.push(...this.model.scaled.map((axis) => ` --${axis}-scale ${this.scales[axis]}`));
    code.textContent = `${this.plotCommand}${this.model.figure}${added.join("")}`;
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
}
