// The numbers of a chart as a table, and as CSV.

function fillNumbers(chart) {
  chart.table.replaceChildren();
  if (!chart.details.open || !chart.view || !chart.svg) return;
  const places = chart.grid.length > 24 ? spread(chart, 24) : Array.from(chart.grid.keys());
  const head = made("tr", {}, made("th", { scope: "col" }, chart.view.xLabel));
  for (const [number] of chart.lines()) {
    head.append(made("th", { scope: "col", class: "wrapped" }, chart.strategies[number].label));
  }
  const body = made("tbody");
  for (const place of places) {
    const row = made("tr", {}, made("th", { scope: "row" }, fullText(chart.grid[place])));
    for (const [, middle, low, high] of chart.lines()) {
      const cell = made("td", {}, fullText(middle[place]));
      if (low) cell.append(" ", made("span", { class: "spread" }, `[${fullText(low[place])}, ${fullText(high[place])}]`));
      row.append(cell);
    }
    body.append(row);
  }
  const caption = made("caption", {}, made("span", {}, `${chart.view.yLabel}, ${chart.view.middle}`));
  chart.table.append(made("table", {}, caption, made("thead", {}, head), body));
  document.dispatchEvent(new Event("widths"));
}

function csv(chart) {
  if (!chart.view) return "";
  const quoted = (text) => `"${String(text).replace(/"/g, '""')}"`;
  const rows = [["strategy", chart.view.xLabel, "value", "low", "high"].map(quoted).join(",")];
  for (const [number, ...lists] of chart.lines()) {
    chart.grid.forEach((x, place) => {
      const values = lists.map((values) => (values ? values[place] : null) ?? "");
      rows.push([quoted(chart.strategies[number].label), x, ...values].join(","));
    });
  }
  return `${rows.join("\n")}\n`;
}
