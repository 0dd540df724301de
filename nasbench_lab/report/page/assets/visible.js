// Which strategies are shown on the page: not those that the reader hid, and only those that the filter leaves.

/** For all charts, tables and lists; with whom to tell when that changes. */
class Visible {
  constructor(labels) {
    this.names = labels.map((label) => label.toLowerCase());
    this.hidden = new Set();
    this.filtered = new Set();
    this.listeners = [];
  }

  get count() {
    return this.names.length;
  }

  has(number) {
    return !this.hidden.has(number) && this.matches(number);
  }

  /** Whether the filter leaves a strategy. */
  matches(number) {
    return !this.filtered.has(number);
  }

  toggle(number) {
    if (!this.hidden.delete(number)) this.hidden.add(number);
    this.changed();
  }

  only(number) {
    this.hidden = new Set(this.names.map((_, other) => other).filter((other) => other !== number));
    this.changed();
  }

  all(shown) {
    this.hidden = new Set(shown ? [] : this.names.map((_, number) => number));
    this.changed();
  }

  /** Leave only strategies whose names contain all words of a text. */
  filter(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (name) => words.every((word) => name.includes(word));
    this.filtered = new Set(this.names.flatMap((name, number) => (fits(name) ? [] : [number])));
    this.changed();
  }

  changed() {
    for (const listener of this.listeners) listener();
  }
}

/** The field that filters strategies: hides their rows, columns and entries; charts look at `visible` themselves. */
function filterField(holder, visible) {
  if (visible.count < 2) return;
  const input = holder.querySelector("input");
  const count = holder.querySelector("output");
  const parts = Array.from(document.querySelectorAll("main [data-strategy], .groups [data-strategy]"))
    .filter((part) => !part.closest("[data-chart]"));
  const show = () => {
    visible.filter(input.value);
    for (const part of parts) part.hidden = !visible.matches(Number(part.dataset.strategy));
    const left = visible.count - visible.filtered.size;
    count.textContent = input.value.trim() ? `${left || "none"} of ${visible.count} shown` : "";
    count.classList.toggle("none", !left);
    document.dispatchEvent(new Event("widths"));
  };
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !input.value) return;
    event.preventDefault();
    input.value = "";
    show();
  });
  holder.hidden = false;
  if (input.value) show(); // browsers remember it
}
