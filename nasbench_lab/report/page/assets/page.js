// The page: charts, tables that sort, the theme, and buttons that copy.

/** Copy a text; where the browser keeps the clipboard from pages on disk, by selecting it in a hidden field. */
async function copyText(text, button) {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    const field = made("textarea", { class: "hidden-text", readonly: "", "aria-hidden": "true", tabindex: "-1" });
    field.value = text;
    document.body.append(field);
    field.select();
    try { done = document.execCommand("copy"); } catch { done = false; }
    field.remove();
    button.focus();
  }
  const label = (button.dataset.label ??= button.textContent);
  button.textContent = done ? "Copied" : "Could not copy: select the text instead";
  const said = document.getElementById("status");
  said.textContent = button.textContent;
  setTimeout(() => { button.textContent = label; }, 2500);
}

const THEMES = ["auto", "light", "dark"]; // auto: as the system
const THEME_KEY = "nasbench-lab-theme";

function remembered() {
  try { return localStorage.getItem(THEME_KEY) ?? "auto"; } catch { return "auto"; } // pages on disk may have no memory
}

function setTheme(name, button) {
  const theme = THEMES.includes(name) ? name : "auto";
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  button.dataset.chosen = theme;
  button.replaceChildren(made("span", { class: "wide" }, "Theme: "), theme);
  button.setAttribute("aria-label", `Theme: ${theme}`);
  try { localStorage.setItem(THEME_KEY, theme); } catch { /* the choice lasts as long as the page */ }
}

/** A button that copies the text of an element. */
function copyButton(label, source, description) {
  const button = made("button", { type: "button", class: "button" }, label);
  if (description) button.setAttribute("aria-label", description);
  button.addEventListener("click", () => copyText(source.textContent, button));
  return button;
}

/** Open what is folded before the page is printed, and fold it again afterwards. */
function unfoldOnPaper() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = Array.from(document.querySelectorAll("details.entry:not([open])"));
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
}

function start() {
  document.documentElement.classList.add("scripted");
  const data = JSON.parse(document.getElementById("data").textContent);
  const visible = new Visible(data.strategies.map(({ label }) => label));
  for (const figure of document.querySelectorAll("[data-chart]")) {
    new Chart(figure, data.charts[figure.dataset.chart], data.strategies, data.order, visible, data.plot);
  }
  if (data.matrix) matrix(document.getElementById("matrix"), data.matrix, data.plot);
  for (const table of document.querySelectorAll("table.sortable")) sortable(table);
  for (const holder of document.querySelectorAll(".copyable")) {
    holder.append(copyButton(holder.dataset.copy, holder.querySelector("pre")));
  }
  for (const holder of document.querySelectorAll(".command")) {
    const code = holder.querySelector("code");
    holder.prepend(copyButton("Copy command", code, "Copy command of this figure"));
  }
  filterField(document.getElementById("filter"), visible);
  scrollCues();
  unfoldOnPaper();
  const button = document.getElementById("theme");
  button.hidden = false;
  setTheme(remembered(), button);
  button.addEventListener("click", () => {
    setTheme(THEMES[(THEMES.indexOf(button.dataset.chosen) + 1) % THEMES.length], button);
  });
}

start();
