// The axes of a chart: their ranges, scales, ticks and labels.

/** Find the ranges of both axes, and the room that the labels of the vertical one take. */
function layOut(chart) {
  const { box, view } = chart;
  const values = chart.lines().flatMap(([, middle, low, high]) => (chart.bands && low ? [middle, low, high] : [middle]).flat());
  const known = values.filter((value) => value !== null);
  const positive = known.filter((value) => value > 0);
  let [low, high] = view.range ?? [Math.min(...known), Math.max(...known)];
  chart.zeros = false;
  if (chart.scales.y === "log") {
    chart.zeros = known.some((value) => value <= 0);
    high = Math.max(high, ...positive);
    low = chart.zeros || !positive.length ? view.zeroAt : Math.min(...positive);
    if (!(high > low)) high = low * 10;
    const room = (high / low) ** 0.03;
    chart.y = logScale(chart.zeros ? low : low / room, high * room, box.bottom, box.top);
  } else {
    const room = (high - low || Math.abs(high) || 1) * 0.04;
    const fromZero = !view.range && low >= 0 && low <= room * 8;
    const scale = linearScale(fromZero ? 0 : low - room, high + room, box.bottom, box.top);
    chart.y = view.range ? { ...scale, ticks: (most) => linearTicks(low, high, most) } : scale;
  }
  const gap = (tick) => Math.abs(chart.y.at(tick) - box.bottom);
  const ticks = chart.zeros && !positive.length ? [] : chart.y.ticks(Math.floor((box.bottom - box.top) / 44));
  chart.yTicks = ticks.filter((tick) => !chart.zeros || gap(tick) > 14);
  const texts = chart.yTicks.map(tickText).concat(chart.zeros ? [view.zero ?? "0"] : []);
  box.left += Math.max(...texts.map((text) => text.length), 1) * 6.7 + 4;
  const [first, last] = [chart.grid[0], chart.grid[chart.grid.length - 1]];
  const start = chart.grid.find((value) => value > 0) ?? 1;
  chart.x = chart.scales.x === "log" && last > 0
    ? logScale(start, Math.max(last, start * 1.0001), box.left, box.right)
    : linearScale(Math.min(first, first < last * 0.2 && first > 0 ? 0 : first), last, box.left, box.right);
}

function drawAxes(chart, svg, width, height) {
  const { box } = chart;
  const text = (content, attributes) => { drawn("text", attributes, svg).textContent = content; };
  for (const tick of chart.yTicks) {
    const y = chart.y.at(tick);
    drawn("line", { class: "grid", x1: box.left, x2: box.right, y1: y, y2: y }, svg);
    text(tickText(tick), { x: box.left - 8, y: y + 4, "text-anchor": "end" });
  }
  if (chart.zeros) {
    drawn("line", { class: "zero", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }, svg);
    text(chart.view.zero ?? "0", { x: box.left - 8, y: box.bottom + 4, "text-anchor": "end" });
  }
  let taken = -Infinity;
  for (const tick of chart.x.ticks(Math.floor((box.right - box.left) / 70))) {
    const x = chart.x.at(tick);
    const half = tickText(tick).length * 3.4;
    drawn("line", { class: "axis", x1: x, x2: x, y1: box.bottom, y2: box.bottom + 5 }, svg);
    if (x - half < taken + 6) continue;
    const anchor = x + half > width ? "end" : "middle";
    text(tickText(tick), { x: anchor === "end" ? width - 1 : x, y: box.bottom + 19, "text-anchor": anchor });
    taken = x + half;
  }
  drawn("path", { class: "axis", d: `M${box.left},${box.top}V${box.bottom}H${box.right}` }, svg);
  text(chart.view.yLabel, { x: 2, y: 14, class: "strong" });
  text(chart.view.xLabel, { x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle", class: "strong" });
}
