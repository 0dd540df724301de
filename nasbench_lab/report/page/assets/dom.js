// Making elements, and the controls that charts and the matrix share.

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

/** The line of a strategy, as legends show it; where colours repeat, with its marker. */
function swatch({ look, marker }) {
  const svg = drawn("svg", { class: `swatch look-${look}`, viewBox: "0 0 32 12", "aria-hidden": "true" });
  drawn("line", { class: "curve", x1: 0, y1: 6, x2: 32, y2: 6 }, svg);
  if (marker) drawn("path", { class: "shape", d: marker, transform: "translate(16 6)" }, svg);
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
