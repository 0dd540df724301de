// Scales, ticks and numbers. A logarithm has no place for zero: zeros get a line of their own at the start of the axis.

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function linearScale(low, high, from, to) {
  const width = high - low || 1;
  return {
    kind: "linear",
    at: (value) => from + ((value - low) / width) * (to - from),
    ticks: (most) => linearTicks(low, high, most),
  };
}

/** A logarithmic scale from the positive number `low`; what is not above `low` is drawn at `from`. */
function logScale(low, high, from, to) {
  const start = Math.log10(low);
  const width = Math.log10(high) - start || 1;
  return {
    kind: "log",
    at: (value) => (value > low ? from + ((Math.log10(value) - start) / width) * (to - from) : from),
    ticks: (most) => logTicks(low, high, most),
  };
}

function linearTicks(low, high, most) {
  const rough = (high - low || 1) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const ticks = [];
  for (let number = Math.ceil(low / step - 1e-9); number * step <= high + step * 1e-9; number += 1) {
    ticks.push(Number((number * step).toPrecision(12)));
  }
  return ticks;
}

/** Powers of ten; between few of them also twice and five times as much; within one of them, steps of equal size. */
function logTicks(low, high, most) {
  const decades = Math.log10(high / low);
  if (decades < 0.8) return linearTicks(low, high, most).filter((tick) => tick > 0);
  const factors = decades < most / 3 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / most));
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high) + 1e-9; power += 1) {
    if (power % every) continue;
    for (const factor of factors) {
      const tick = Number(`${factor}e${power}`);
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
    }
  }
  return ticks;
}

const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

const grouped = (text) => text.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));

function tickText(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e5) return grouped(String(Number(value.toPrecision(6))));
  const [factor, power] = value.toExponential().split("e");
  const raised = Array.from(String(Number(power)), (digit) => SUPERSCRIPTS[digit]).join("");
  return `${Number(factor) === 1 ? "" : `${Number(Number(factor).toPrecision(3))}×`}10${raised}`;
}

/** How many decimals give the smallest of the numbers three digits, so that all of them can stand below each other. */
function decimalsOf(values) {
  const sizes = values.map(Math.abs).filter((size) => size > 0 && Number.isFinite(size));
  return sizes.length ? clamp(2 - Math.floor(Math.log10(Math.min(...sizes))), 0, 5) : 0;
}

function numberText(value, decimals) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? value.toExponential(1) : grouped(text);
}

/** A number with what was stored of it, for places where nothing stands above or below. */
const fullText = (value) => (value === null || value === undefined ? "–" : grouped(String(value)));
