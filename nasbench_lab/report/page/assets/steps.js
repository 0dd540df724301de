// Curves as paths. A value lasts until the next one, so that curves are steps, not slopes.

const rounded = (value) => Math.round(value * 10) / 10;

/** A list in which a pair stands for a value and how often it follows itself. */
const unpacked = (list) => list.flatMap((entry) => (Array.isArray(entry) ? Array(entry[1]).fill(entry[0]) : [entry]));

function stepPath(chart, values) {
  return pieces(chart.grid, values).map((piece) => {
    const [start, ...rest] = stairs(chart, piece, values);
    return `M${start.map(rounded).join(",")}${rest.map((point) => `L${point.map(rounded).join(",")}`).join("")}`;
  }).join("");
}

function bandPath(chart, low, high) {
  return pieces(chart.grid, low, high).map((piece) => {
    const upper = stairs(chart, piece, high);
    const lower = stairs(chart, piece, low).reverse();
    return `M${upper.concat(lower).map((point) => point.map(rounded).join(",")).join("L")}Z`;
  }).join("");
}

/** Neighbouring places of the grid where all of the lists have values. */
function pieces(grid, ...lists) {
  const found = [];
  let piece = [];
  grid.forEach((_, place) => {
    if (lists.every((values) => values[place] !== null)) piece.push(place);
    else if (piece.length) { found.push(piece); piece = []; }
  });
  return piece.length ? [...found, piece] : found;
}

function stairs(chart, places, values) {
  const points = [];
  places.forEach((place, number) => {
    const x = chart.x.at(chart.grid[place]);
    if (number) points.push([x, points[points.length - 1][1]]);
    points.push([x, chart.y.at(values[place])]);
  });
  if (points.length === 1) points.push([points[0][0] + 1, points[0][1]]);
  return points;
}

/** Places of the grid that are spread evenly over the axis, at most `most`, shifted a little for each `line`. */
function spread(chart, most, line) {
  const { left, right } = chart.box;
  const shift = line === undefined ? 0 : ((line * 0.382) % 1) - 0.5;
  const places = Array.from({ length: most }, (_, number) => {
    const share = line === undefined ? number / (most - 1) : (number + 0.5 + 0.6 * shift) / most;
    return closest(chart, left + share * (right - left));
  });
  return [...new Set(places)];
}

/** The place of the grid that is closest to a pixel. */
function closest(chart, x) {
  let best = 0;
  chart.grid.forEach((value, place) => {
    if (Math.abs(chart.x.at(value) - x) < Math.abs(chart.x.at(chart.grid[best]) - x)) best = place;
  });
  return best;
}
