// The matrix of all pairs: its cells show another number for every choice.

const MARKS = { b: "better", w: "worse", s: "same" };

function matrix(holder, model, plot) {
  const cells = Array.from(holder.querySelectorAll("tbody td"));
  const code = holder.querySelector(".command code");
  const caption = holder.querySelector("caption span");
  const chosen = Object.fromEntries(model.choices.map((choice) => [choice.name, choice.start]));
  const show = () => {
    const view = model.views[model.choices.map((choice) => chosen[choice.name]).join("|")];
    caption.textContent = view.about;
    cells.forEach((cell, place) => {
      cell.textContent = view.texts[place];
      cell.className = MARKS[view.marks[place]] ?? "";
    });
    if (!code) return;
    const added = model.choices.map(({ name, options, arguments: given }) => {
      return given[options.findIndex(([key]) => key === chosen[name])] ?? "";
    });
    code.textContent = `${plot}${model.figure}${added.join("")}`;
    code.parentElement.hidden = chosen.measure !== "a12"; // the figure shows these numbers only
  };
  const row = made("div", { class: "controls" });
  for (const choice of model.choices) {
    if (choice.options.length < 2) continue;
    row.append(control("matrix", choice, chosen[choice.name], (value) => {
      chosen[choice.name] = value;
      show();
    }));
  }
  holder.prepend(row);
}
