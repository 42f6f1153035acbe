// X7: which pixels a unit of a chain of layers sees, along one axis, and in how many ways.
import { define, h, beside, choice, show, slider, table } from "./kit.js";

const repeat = f => Array.from({ length: 5 }, (_, at) => f(at));
const NETWORKS = {  // kernel_size, stride, padding, dilation
  lenet: [[5, 1, 2, 1], [2, 2, 0, 1], [5, 1, 0, 1], [2, 2, 0, 1], [5, 1, 0, 1]],
  plain: repeat(() => [3, 1, 1, 1]),
  strided: repeat(() => [3, 2, 1, 1]),
  growing: repeat(at => [3, 1, 2 ** at, 2 ** at]),
  dilated: repeat(() => [3, 1, 2, 2]),
};
const SETTINGS = [["k", "kernel_size", 1, 7], ["s", "stride", 1, 3], ["p", "padding", 0, 16], ["d", "dilation", 1, 16]];
const WORDS = { lenet: "LeNet-5", plain: "five 3 × 3", strided: "five 3 × 3, stride 2", growing: "3 × 3, dilations 1 to 16", dilated: "five 3 × 3, dilation 2", own: "as in the table" };

/** Return the sizes of all levels, from the pixels on; they end where a kernel does not fit. */
export function sizes(layers, n) {
  const found = [n];
  for (const [k, s, p, d] of layers) {
    const free = found.at(-1) + 2 * p - (d * (k - 1) + 1);
    if (free < 0) break;
    found.push(Math.floor(free / s) + 1);
  }
  return found;
}

/** Return size, jump and first centre of the field of every level, in pixels; borders are ignored. */
export function fields(layers) {
  const found = [{ size: 1, jump: 1, center: 0 }];
  for (const [k, s, p, d] of layers) {
    const { size, jump, center } = found.at(-1);
    const reach = d * (k - 1);
    found.push({ size: size + reach * jump, jump: jump * s, center: center + (reach / 2 - p) * jump });
  }
  return found;
}

/** Return the units that a unit reads one level below; those outside lie in the padding. */
export const reads = ([k, s, p, d], unit) => Array.from({ length: k }, (_, u) => s * unit - p + d * u);

/** Return for every unit of every level up to the top in how many ways it leads to one unit there. */
export function ways(layers, n, top, unit) {
  const levels = sizes(layers, n).slice(0, top + 1).map(size => Array(size).fill(0));
  levels[top][unit] = 1;
  for (let level = top; level > 0; level--)
    levels[level].forEach((count, at) => reads(layers[level - 1], at).forEach(below => {
      if (below in levels[level - 1]) levels[level - 1][below] += count;
    }));
  return levels;
}

const names = state => ["pixels", ...(state.network === "lenet" ? ["C1", "S2", "C3", "S4", "C5"] : ["L1", "L2", "L3", "L4", "L5"])];
const seen = counts => counts.flatMap((count, at) => (count ? [at] : []));

function drawing(state, set) {
  const counts = ways(state.layers, state.n, state.top, state.unit);
  const all = sizes(state.layers, state.n);
  const field = fields(state.layers);
  const place = (level, unit) => field[level].center + field[level].jump * unit;
  const lines = counts.map((_, level) => (level ? seen(counts[level]).flatMap(unit => reads(state.layers[level - 1], unit).map(below => [unit, below])) : []));
  const padding = lines.map((pairs, level) => [...new Set(pairs.map(pair => pair[1]).filter(below => below < 0 || below >= all[level - 1]))]);
  const places = [...all.flatMap((size, level) => [place(level, 0), place(level, size - 1)]), ...padding.flatMap((units, level) => units.map(unit => place(level - 1, unit)))];
  const [low, high] = [Math.min(...places), Math.max(...places)];
  const px = value => 74 + 224 * (value - low) / (high - low || 1);
  const py = level => 20 + 34 * (all.length - 1 - level);
  const radius = Math.min(4, 100 / (high - low || 1));
  const at = (level, unit) => ({ cx: px(place(level, unit)).toFixed(1), cy: py(level), r: radius });
  const dot = (level, unit) => h("circle", {
    ...at(level, unit), style: `cursor: pointer; fill: var(--${counts[level]?.[unit] ? "above" : "rule"})`, onclick: () => set({ top: level, unit }),
  }, level === state.top && unit === state.unit && h("title", {}, "the unit that is traced"));
  const words = (text, x, level, anchor) => h("text", { x, y: py(level) + 4, "text-anchor": anchor, style: "font-size: 13px" }, text);
  const most = Math.max(...counts[0]);
  const bars = counts[0].map((count, pixel) => h("rect", { x: px(pixel) - radius * 0.7, y: py(0) + 10, width: radius * 1.4, height: 40 * count / most, style: "fill: var(--above)" }));
  return h("figure", { class: "chart" }, h("svg", {
    viewBox: `0 0 360 ${py(0) + 54}`, role: "img", style: "max-width: 540px",
    "aria-label": `${all.length} rows of dots, one for each level; lines lead from unit ${state.unit} of ${names(state)[state.top]} down to the pixels that it sees.`,
  },
    lines.map((pairs, level) => h("path", {
      d: pairs.map(([unit, below]) => `M${px(place(level, unit)).toFixed(1)},${py(level)}L${px(place(level - 1, below)).toFixed(1)},${py(level - 1)}`).join(""),
      style: "fill: none; stroke: var(--above); stroke-opacity: 0.55",
    })),
    all.map((size, level) => [words(`${names(state)[level]}: ${size}`, 0, level, "start"), Array.from({ length: size }, (_, unit) => dot(level, unit))]),
    padding.map((units, level) => units.map(unit => h("circle", { ...at(level - 1, unit), style: "fill: var(--paper); stroke: var(--faint)" }))),
    counts.map((values, level) => words(`${seen(values).length} seen`, 360, level, "end")),
    bars, words("ways", 0, -0.7, "start"), words(`most ${most}`, 360, -0.7, "end"),
  ), h("figcaption", {}, "Orange: what the unit rests on. Hollow: padding. The bars count the ways from a pixel up to the unit."));
}

export const explorer = define({
  name: "receptive-field-tracer",
  title: "Receptive-field tracer",
  state: { network: "lenet", layers: NETWORKS.lenet, n: 28, top: 4, unit: 2 },
  tidy(state) {
    const within = (value, low, high) => Math.min(high, Math.max(low, Math.round(value)));
    const layers = state.layers.map(layer => layer.map((value, at) => within(value, SETTINGS[at][2], SETTINGS[at][3])));
    const network = Object.keys(NETWORKS).find(name => JSON.stringify(NETWORKS[name]) === JSON.stringify(layers)) ?? "own";
    const n = within(state.n, 8, 40);
    const all = sizes(layers, n);
    const top = within(state.top, Math.min(1, all.length - 1), all.length - 1);
    return { network, layers, n, top, unit: within(state.unit, 0, all[top] - 1) };
  },
  controls: [
    choice("network", "Layers", WORDS, network => (network === "own" ? {} : { layers: NETWORKS[network], n: 28, top: 5, unit: Math.floor(sizes(NETWORKS[network], 28)[5] / 2) })),
    slider("n", "Pixels", 8, 40, { text: value => show(value) }),
    slider("top", "Layer", state => Math.min(1, sizes(state.layers, state.n).length - 1), state => sizes(state.layers, state.n).length - 1, { text: (value, state) => names(state)[value] }),
    slider("unit", "Unit", 0, state => sizes(state.layers, state.n)[state.top] - 1, { text: value => show(value) }),
  ],
  view(state, set) {
    const [all, field] = [sizes(state.layers, state.n), fields(state.layers)];
    const change = (row, column, value) => set({ layers: state.layers.map((layer, at) => (at === row ? layer.with(column, value) : layer)) });
    const input = (row, column) => {
      const [letter, word, min, max] = SETTINGS[column];
      return h("input", {
        type: "number", min, max, value: state.layers[row][column], style: "width: 2.6rem; padding: 0; text-align: center", "data-key": `${letter} ${row}`,
        "aria-label": `${word} of ${names(state)[row + 1]}`, onchange: event => Number.isFinite(event.target.valueAsNumber) && change(row, column, event.target.valueAsNumber),
      });
    };
    const fits = level => level < all.length;
    return [
      drawing(state, set),
      beside(
        table(["layer", ...SETTINGS.map(one => one[0])], state.layers.map((_, row) => [names(state)[row + 1], ...SETTINGS.map((_, column) => input(row, column))]), { name: "kernel_size, stride, padding, dilation" }),
        table(["layer", "units", "field", "jump", "first centre"], state.layers.map((_, row) => [names(state)[row + 1], ...(fits(row + 1) ? [all[row + 1], field[row + 1].size, field[row + 1].jump, show(field[row + 1].center, 1)] : ["none", "", "", ""])]), { name: "What the formulas say", mark: row => (row + 1 === state.top ? "on" : fits(row + 1) ? null : "off") }),
      ),
    ];
  },
  says(state) {
    const all = sizes(state.layers, state.n);
    const { size, jump, center } = fields(state.layers)[state.top];
    const counts = ways(state.layers, state.n, state.top, state.unit)[0];
    const pixels = seen(counts);
    const name = names(state)[state.top];
    const first = center + jump * state.unit - (size - 1) / 2;
    const last = first + size - 1;
    const inside = Math.min(last, state.n - 1) - Math.max(first, 0) + 1;
    const where = `The field of unit ${state.unit} of ${name} is ${size} wide, from pixel ${show(first)} to ${show(last)}`;
    const what = inside < size ? `, ${size - inside} of them outside the image` : `, and that of the next unit begins ${jump} further`;
    const holes = pixels.length < inside ? ` Only ${pixels.length} of its ${inside} pixels are seen: the layers skip the others.` : "";
    const [left, right] = [counts[pixels[0]], counts[pixels.at(-1)]];
    const count = number => `${number} ${number === 1 ? "way" : "ways"}`;
    const outer = left === right ? `${count(left)} each` : `${count(left)} and ${count(right)}`;
    const most = Math.max(...counts);
    const several = most > 1 ? `The outermost that it sees lead there in ${outer}, the best connected in ${most}.` : "Each pixel that it sees leads there in one way.";
    const ends = holes ? "" : ` ${several}`;
    const [k, , p, d] = state.layers[all.length - 1] ?? [];
    const misfit = k ? ` ${names(state)[all.length]} does not fit: its kernel spans ${d * (k - 1) + 1}, and the padded row below it has only ${all.at(-1) + 2 * p}.` : "";
    if (state.top === 0) return `Pixel ${state.unit} is all that there is to see.${misfit}`;
    return `${where}${what}.${holes}${ends}${misfit}`;
  },
});
