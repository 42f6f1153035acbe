// X9: what LeNet-5 trains and how it is wired, from the network of 1998 to the one of today.
import { define, h, bar, beside, button, choice, grid, matrix, table } from "./kit.js";

const TABLES = {  // a word for each map of C3: the maps of S2 that it reads
  sparse: "012 123 234 345 045 015 0123 1234 2345 0345 0145 0125 0134 1245 0235 012345",
  dense: Array(16).fill("012345").join(" "),
};
const INPUTS = { 32: [32, 0], 28: [28, 2], bare: [28, 0], 48: [48, 0] };  // pixels, padding of C1
const THEN = { table: TABLES.sparse, pooling: "trained", output: "rbf", input: "32" };
const NOW = { table: TABLES.dense, pooling: "max", output: "linear", input: "28" };

/** Return the table as 16 rows of 6: whether a map of C3 reads a map of S2. */
export const links = text => text.split(" ").map(word => Array.from({ length: 6 }, (_, map) => word.includes(map)));

/** Return the layers, each with its output's shape, null if there is none, and its two counts. */
export function layers(text, pooling, output, input) {
  const n_links = links(text).flat().filter(Boolean).length;
  const [pixels, padding] = INPUTS[input];
  const c1 = pixels + 2 * padding - 4;
  const c3 = c1 / 2 - 4;
  const c5 = Math.max(0, c3 / 2 - 4);  // nothing if the kernel does not fit
  const trained = pooling === "trained";
  const layer = (name, maps, size, parameters, lines) => ({ name, shape: size ? [maps, size, size] : null, parameters, connections: size * size * lines });
  return [
    layer("C1", 6, c1, 6 * 26, 6 * 26),
    layer("S2", 6, c1 / 2, trained ? 12 : 0, 6 * (4 + trained)),
    layer("C3", 16, c3, 25 * n_links + 16, 25 * n_links + 16),
    layer("S4", 16, c3 / 2, trained ? 32 : 0, 16 * (4 + trained)),
    layer("C5", 120, c5, 120 * 401, 120 * 401),
    layer("F6", 84, c5, 84 * 121, 84 * 121),
    layer("OUTPUT", 10, c5, output === "linear" ? 850 : 0, output === "linear" ? 850 : 840),
  ];
}

const counted = state => layers(state.table, state.pooling, state.output, state.input);
const total = (all, key) => all.reduce((sum, layer) => sum + layer[key], 0);
const words = count => count.toLocaleString("en-US").replace("-", "−");
const signed = change => (change < 0 ? ` − ${words(-change)}` : ` + ${words(change)}`);

/** Return the table with one link cut, or added if it is not there. */
export function toggled(text, map, source) {
  const rows = links(text);
  rows[map][source] = !rows[map][source];
  return rows.map(row => row.flatMap((linked, at) => (linked ? [at] : [])).join("") || "-").join(" ");
}

export const explorer = define({
  name: "lenet-counter",
  title: "LeNet counter",
  state: { ...THEN, c3: "sparse" },
  tidy(state) {
    const fits = /^((0?1?2?3?4?5?|-) ){15}(0?1?2?3?4?5?|-)$/.test(state.table) && !/^ |  | $/.test(state.table);
    const text = fits ? state.table : TABLES.sparse;
    return {
      table: text, c3: Object.keys(TABLES).find(name => TABLES[name] === text) ?? "own",
      pooling: state.pooling === "max" ? "max" : "trained", output: state.output === "linear" ? "linear" : "rbf",
      input: Object.hasOwn(INPUTS, state.input) ? state.input : "32",
    };
  },
  controls: [
    choice("c3", "C3", { sparse: "the table of 1998", dense: "dense", own: "a table of my own" }, c3 => (c3 === "own" ? {} : { table: TABLES[c3] })),
    choice("pooling", "S2, S4", { trained: "trained subsampling", max: "max pooling" }),
    choice("output", "OUTPUT", { rbf: "fixed codes", linear: "linear" }),
    choice("input", "Input", { 32: "32 × 32", 28: "28 × 28, padded by 2", bare: "28 × 28, no padding", 48: "48 × 48" }),
    ...[["1998", THEN], ["Today", NOW]].map(([label, goal]) => button(label, state => (Object.keys(goal).every(key => state[key] === goal[key]) ? null : goal))),
  ],
  view(state, set) {
    const all = counted(state);
    const before = counted(THEN);
    const most = key => Math.max(...all.map(layer => layer[key]));
    const cell = (layer, key, number) => [words(layer[key]), bar(layer[key], { high: most(key), number })];
    const changes = all.map((layer, at) => [layer.name, layer.parameters - before[at].parameters]).filter(([, change]) => change);
    const rows = links(state.table);
    const half = first => h("div", { class: "small" }, grid(matrix(8, 6, (row, source) => rows[first + row][source]), {
      name: `Maps ${first} to ${first + 7} of C3 read`, text: (linked, _, source) => (linked ? String(source) : "·"),
      mark: (row, source) => (rows[first + row][source] ? "in" : "off"), pick: (row, source) => set({ table: toggled(state.table, first + row, source) }),
    }));
    return [
      beside(
        table(["layer", "parameters", "connections"], [
          ...all.map(layer => [[layer.name, h("br"), layer.shape ? layer.shape.join(" × ") : layer.name === "C5" ? "does not fit" : "no input"], cell(layer, "parameters", 0), cell(layer, "connections", 1)]),
          ["total", h("strong", {}, words(total(all, "parameters"))), words(total(all, "connections"))],
        ], { name: "Trained parameters, and lines into units", mark: at => (all[at]?.shape === null ? "off" : null) }),
        half(0), half(8),
      ),
      h("p", { class: "formula" }, changes.length ? `60,000 in 1998${changes.map(([name, change]) => `${signed(change)} (${name})`).join("")} = ` : "As in 1998: ", h("strong", {}, words(total(all, "parameters")))),
    ];
  },
  says(state) {
    const all = counted(state);
    const n_links = links(state.table).flat().filter(Boolean).length;
    const counts = `${words(total(all, "parameters"))} trained parameters and ${words(total(all, "connections"))} connections`;
    const c3 = `C3 has ${n_links} of 96 links: each costs 25 parameters and ${words(25 * all[2].shape[1] ** 2)} connections.`;
    if (!all[4].shape) return `C5's kernel of 5 × 5 does not fit on maps of 4 × 4, so the network cannot run. The count of parameters does not notice: ${words(total(all, "parameters"))}.`;
    const places = all[4].shape[1] ** 2;
    if (places > 1) return `${counts}. On the larger image C5, F6 and OUTPUT slide as convolutions and answer at ${places} places, with the same parameters.`;
    return `${counts}. ${c3}`;
  },
});
