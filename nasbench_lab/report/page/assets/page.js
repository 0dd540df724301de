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
  document.getElementById("status").textContent = button.textContent;
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

function start() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const visible = new Visible(data.strategies.length);
  for (const figure of document.querySelectorAll("[data-chart]")) {
    new Chart(figure, data.charts[figure.dataset.chart], data.strategies, data.order, visible);
  }
  if (data.matrix) matrix(document.getElementById("matrix"), data.matrix);
  for (const table of document.querySelectorAll("table.sortable")) sortable(table);
  for (const holder of document.querySelectorAll(".copyable")) {
    const button = made("button", { type: "button", class: "button" }, holder.dataset.copy);
    button.addEventListener("click", () => copyText(holder.querySelector("pre").textContent, button));
    holder.append(button);
  }
  const button = document.getElementById("theme");
  button.hidden = false;
  setTheme(remembered(), button);
  button.addEventListener("click", () => {
    setTheme(THEMES[(THEMES.indexOf(button.dataset.chosen) + 1) % THEMES.length], button);
  });
}

start();
