// X15: gradients of every tensor in every step, two runs side by side.
import { define, h, beside, chart, choice, player, show, slider } from "./kit.js";

const RUNS = {
  "0.001": "rate 0.001", "0.01": "rate 0.01", "0.1": "rate 0.1", 1: "rate 1", 10: "rate 10",
  softmax: "softmax before the loss", piled: "no zero_grad", "seed 42": "seed 42",
};
const NAMES = ["conv1.weight", "conv1.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"];
const WHAT = { gradient: "gradient norm", held: "norm of .grad", ratio: "update ratio" };
const SPANS = { all: "1000, twenty at a time", first: "the first 50, each" };
const RANGE = { gradient: [-3, 0.5], held: [-3, 1.5], ratio: [-4, 0.5] };

/** Return where a number lies between two powers of ten, from 0 to 1; null for an exact zero. */
export const place = (value, low, high) => (value === 0 ? null : Math.min(1, Math.max(0, (Math.log10(value) - low) / (high - low))));

/** Return the number of the first column from which a row is exactly zero to its end, or null. */
export function silentFrom(row) {
  const last = row.findLastIndex(value => value !== 0);
  return last === row.length - 1 ? null : last + 1;
}

/** Return the loss of a network that gives each class the same probability. */
export const guessing = classes => Math.log(classes);

/** Return the smallest loss that two softmaxes in a row allow. */
export const floor = classes => -Math.log(Math.E / (Math.E + classes - 1));

const table = (record, run, what, span) => (record[run][what] ?? record[run].gradient)[span]; // .grad is what one pass brings
const brief = value => (value === 0 ? "0" : value < 0.001 ? value.toExponential(0).replace("-", "−") : show(Number(value.toPrecision(3)), 6));
const steps = ({ span, column }) => (span === "all" ? `steps ${20 * column - 19} to ${20 * column}` : `step ${column}`);

function heat(record, run, { what, span, column }, letter) {
  const rows = table(record, run, what, span);
  const [left, width, height] = [84, 5, 17];
  const cell = (value, row, number) => {
    const share = place(value, ...RANGE[what]);
    const fill = share === null ? "color-mix(in oklab, var(--faint) 55%, var(--cell))" : `color-mix(in oklab, var(--accent) ${(8 + 92 * share).toFixed(0)}%, var(--cell))`;
    return h("rect", { x: left + width * number, y: height * row, width, height: height - 2, style: `fill: ${fill}` });
  };
  const text = rows.map((row, number) => `${NAMES[number]} ${brief(row[column - 1])}`).join(", ");
  return h("figure", { class: "chart", style: "flex: 1 1 16rem" },
    h("figcaption", {}, `${letter}: ${RUNS[run]}`),
    h("svg", { viewBox: `0 0 ${left + 50 * width + 2} ${6 * height + 4}`, role: "img", "aria-label": `${RUNS[run]}, ${steps({ span, column })}: ${text}` },
      NAMES.map((name, row) => h("text", { x: left - 5, y: height * row + 12, "text-anchor": "end" }, name)),
      rows.map((row, number) => row.map((value, one) => cell(value, number, one))),
      h("rect", { x: left + width * (column - 1) - 1, y: -1, width: width + 2, height: 6 * height, style: "fill: none; stroke: var(--ink); stroke-width: 1.5" })));
}

/** Say which tensors of a run get nothing to its end, and since when. */
function silence(record, run, span) {
  const first = table(record, run, "gradient", "first").map(silentFrom);
  const rows = table(record, run, "gradient", "all").map(silentFrom);
  const silent = NAMES.filter((_, number) => rows[number] !== null);
  if (!silent.length) return "all six tensors get a gradient to the end";
  const from = rows[0] === null ? null : first[0] === null ? `about step ${20 * rows[0]}` : `step ${first[0] + 1}`;
  return `${silent.length} of 6 tensors end with a gradient of exactly 0${from ? `, the filter from ${from} on` : ""}`;
}

export const explorer = define({
  name: "gradient-dashboard",
  title: "Gradient dashboard",
  state: { a: "0.001", b: "1", what: "gradient", span: "all", column: 50 },
  data: "gradient-dashboard",
  tidy(state) {
    const known = (value, options, other) => (Object.hasOwn(options, value) ? value : other);
    return {
      a: known(state.a, RUNS, "0.001"), b: known(state.b, RUNS, "1"), what: known(state.what, WHAT, "gradient"), span: known(state.span, SPANS, "all"),
      column: Math.min(50, Math.max(1, Math.round(state.column))),
    };
  },
  controls: [
    choice("a", "A", RUNS),
    choice("b", "B", RUNS),
    choice("what", "Show", WHAT),
    choice("span", "Steps", SPANS, span => ({ span, column: span === "all" ? 50 : 1 })),
    slider("column", "At", 1, 50, { text: (column, state) => steps(state) }),
    player("column", 50, { every: 400 }),
  ],
  view(state, set, record) {
    const { a, b, what, span, column } = state;
    const scale = span === "all" ? 20 : 1;
    const losses = run => record[run].loss[span][0].map((loss, number) => [scale * (number + 1), loss]);
    const flat = guessing(3);
    const low = Math.pow(10, RANGE[what][0]);
    const row = (name, number) => h("tr", {}, h("th", { scope: "row", style: "text-align: left; font-weight: 400; font-size: 0.85rem; padding-right: 0.4rem" }, name),
      [a, b].map(run => h("td", { style: "padding: 0 0.5rem; text-align: right" }, brief(table(record, run, what, span)[number][column - 1]))));
    return [
      beside(heat(record, a, state, "A"), heat(record, b, state, "B")),
      h("p", { style: "margin: 0; font-size: 0.85rem" }, `Faint is ${brief(low)} or less, full colour ${brief(Math.pow(10, RANGE[what][1]))} or more, on a logarithmic scale; grey is exactly 0.`),
      beside(
        h("table", { class: "grid" }, h("caption", {}, `${WHAT[what][0].toUpperCase()}${WHAT[what].slice(1)}, ${steps(state)}`),
          h("thead", {}, h("tr", {}, h("td", { style: "border: 0; background: none; height: auto" }), ["A", "B"].map(letter => h("th", { scope: "col" }, letter)))), h("tbody", {}, NAMES.map(row))),
        h("div", { style: "flex: 1 1 16rem" },
          chart([{ words: `A: ${RUNS[a]}`, points: losses(a) }, { words: `B: ${RUNS[b]}`, points: losses(b) }, { words: "ln 3, a guess", points: [[scale, flat], [50 * scale, flat]] }],
            { name: "Loss of the batches, cut at 2.5", x: { words: "step", low: scale, high: 50 * scale }, y: { words: "loss", low: 0, high: 2.5 }, at: scale * column, width: 340, height: 180 })),
      ),
    ];
  },
  says({ a, b, what, span, column }, record) {
    const value = run => brief(table(record, run, what, span)[0][column - 1]);
    return `In ${steps({ span, column })} the ${WHAT[what]} of the filter is ${value(a)} for A and ${value(b)} for B. A: ${silence(record, a, span)}. B: ${silence(record, b, span)}.`;
  },
});
