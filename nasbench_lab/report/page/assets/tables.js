// Tables that sort by their columns. Rows without a value stay last, whichever way the others go.

function sortable(table) {
  const headers = Array.from(table.tHead.rows[0].cells);
  const said = made("p", { class: "hidden-text", role: "status" });
  table.closest(".scroll").after(said);
  headers.forEach((header, column) => {
    if (!header.dataset.sort) return;
    const button = made("button", { type: "button", class: "sort" }, ...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const opposite = { ascending: "descending", descending: "ascending" };
      const direction = opposite[header.getAttribute("aria-sort")] ?? header.dataset.sort;
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", direction);
      sortRows(table.tBodies[0], column, direction === "ascending" ? 1 : -1);
      said.textContent = `sorted by ${button.textContent}, ${direction}`;
    });
  });
}

function sortRows(body, column, sign) {
  const key = (row) => {
    const text = row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    return text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text);
  };
  const rows = Array.from(body.rows, (row) => [key(row), row]);
  rows.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    if (typeof one === "string" || typeof other === "string") return sign * String(one).localeCompare(String(other));
    return sign * (one - other);
  });
  body.append(...rows.map(([, row]) => row));
}
