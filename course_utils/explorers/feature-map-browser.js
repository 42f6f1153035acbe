// X13: what every layer of the case study's network makes of two lines.
import { define, h, beside, choice, line, matrix, picture, show, slider, tint } from "./kit.js";

const MODELS = { trained: "1 filter, trained", untrained: "1 filter, untrained", eight: "8 filters, trained" };
const KINDS = { 0: "straight", 1: "rising", 2: "falling" };
const LAYERS = ["conv1", "relu1", "maxp1", "fc1", "relu2", "fc2"];

/** Return the line of a label and a start, as chapter 11 draws it. */
export const pixels = (label, start) => line(label, start);

const relu = value => Math.max(0, value);
const linear = (weight, bias, inputs) => bias.map((start, row) => weight[row].reduce((sum, one, column) => sum + one * inputs[column], start));

/** Return the outputs of all layers, for the weights of a state_dict; a channel of relu1 may be switched off. */
export function forward(image, weights, off = null) {
  const { "conv1.weight": kernels, "conv1.bias": biases } = weights;
  const response = (channel, row, column) =>
    kernels[channel][0].flat().reduce((sum, weight, k) => sum + weight * image[row + Math.floor(k / 3)][column + (k % 3)], biases[channel]);
  const conv1 = kernels.map((_, channel) => matrix(8, 8, (row, column) => response(channel, row, column)));
  const relu1 = conv1.map((map, channel) => map.map(row => row.map(value => (channel === off ? 0 : relu(value)))));
  const maxp1 = relu1.map(map => matrix(4, 4, (row, column) =>
    Math.max(map[2 * row][2 * column], map[2 * row][2 * column + 1], map[2 * row + 1][2 * column], map[2 * row + 1][2 * column + 1])));
  const flatten = maxp1.flat(2);
  const fc1 = linear(weights["fc1.weight"], weights["fc1.bias"], flatten);
  const relu2 = fc1.map(relu);
  return { conv1, relu1, maxp1, flatten, fc1, relu2, fc2: linear(weights["fc2.weight"], weights["fc2.bias"], relu2) };
}

/** Return the largest difference of two outputs of a layer. */
export const difference = (a, b) => Math.max(...[a].flat(4).map((value, place) => Math.abs(value - [b].flat(4)[place])));

/** Return the first layer from which on two passes are equal, or null. */
export function merge(a, b) {
  const last = LAYERS.findLastIndex(layer => difference(a[layer], b[layer]) > 1e-9);
  return LAYERS[last + 1] ?? null;
}

/** Return the class with the largest logit. */
export const answer = logits => logits.indexOf(Math.max(...logits));

const size = values => Math.max(...[values].flat(4).map(Math.abs)) || 1;
const image = (state, one) => line(Number(state[one]), state[`${one}Start`]);

function passes(state, record) {
  const off = state.off === "none" ? null : Number(state.off);
  return ["a", "b"].map(one => forward(image(state, one), record[state.model], off));
}

/** A layer of one image: a picture for every channel, or a column of numbers. */
function layer(name, values, limit) {
  const drawn = (map, words, width) => picture(map, { name: words, signed: true, high: limit, size: width });
  if (!Array.isArray(values[0])) return drawn(values.map(value => [value]), name, 80 / values.length);
  if (values.length === 1) return drawn(values[0], name, 80);
  return h("div", {}, h("div", { style: "display: flex; flex-wrap: wrap; gap: 2px; max-width: 154px" }, values.map((map, channel) => drawn(map, String(channel), 34))),
    h("div", { style: "font-size: 0.85rem; color: var(--faint)" }, name));
}

/** The numbers of a layer's channel, small enough for a phone. */
function numbers(name, values, limit, mark) {
  const rows = Array.isArray(values[0]) ? values : matrix(Math.ceil(values.length / 5), Math.min(5, values.length), (row, column) => values[5 * row + column]);
  const cell = (value, row, column) => h("td", { style: `${tint(value, limit)}; min-width: 1.6rem; height: 1.6rem; font-size: 0.68rem; ${mark(row, column) ? "outline: 2px solid var(--accent)" : ""}` }, show(value, 1));
  return h("table", { class: "grid" }, h("caption", {}, name), h("tbody", {}, rows.map((row, down) => h("tr", {}, row.map((value, along) => cell(value, down, along))))));
}

export const explorer = define({
  name: "feature-map-browser",
  title: "Feature-map browser",
  state: { model: "trained", a: "2", aStart: 4, b: "0", bStart: 1, layer: "conv1", channel: 0, off: "none" },
  data: "feature-map-browser",
  tidy(state, record) {
    const model = state.model in MODELS ? state.model : "trained";
    const within = (value, low, high) => Math.min(high, Math.max(low, Math.round(value)));
    const channels = record[model]["conv1.bias"].length;
    return {
      model, a: state.a in KINDS ? state.a : "2", b: state.b in KINDS ? state.b : "0", aStart: within(state.aStart, -9, 9), bStart: within(state.bStart, -9, 9),
      layer: LAYERS.includes(state.layer) ? state.layer : "conv1", channel: within(state.channel, 0, channels - 1), off: /^[0-7]$/.test(state.off) && Number(state.off) < channels ? state.off : "none",
    };
  },
  controls: [
    choice("model", "Network", MODELS),
    choice("a", "A", KINDS),
    slider("aStart", "from", -9, 9, { text: start => (start > 0 ? `row ${start}` : `column ${-start}`) }),
    choice("b", "B", KINDS),
    slider("bStart", "from", -9, 9, { text: start => (start > 0 ? `row ${start}` : `column ${-start}`) }),
    choice("layer", "Numbers of", Object.fromEntries(LAYERS.map(name => [name, name]))),
    slider("channel", "channel", 0, state => (state.model === "eight" ? 7 : 0)),
    choice("off", "Switch off in relu1", { none: "nothing", ...Object.fromEntries(Array.from({ length: 8 }, (_, channel) => [channel, `channel ${channel}`])) }),
  ],
  view(state, set, record) {
    const found = passes(state, record);
    const limits = Object.fromEntries(LAYERS.map(name => [name, Math.max(...found.map(one => size(one[name])))]));
    const values = found.map(one => (Array.isArray(one[state.layer][0]) ? one[state.layer][state.channel] : one[state.layer]));
    const differs = (row, column) => {
      const at = table => (Array.isArray(table[0]) ? table[row][column] : table[5 * row + column]);
      return Math.abs(at(values[0]) - at(values[1])) > 1e-9;
    };
    const which = Array.isArray(found[0][state.layer][0]) ? `${state.layer}[${state.channel}]` : state.layer;
    return [
      ["a", "b"].map((one, number) => {
        const given = answer(found[number].fc2);
        return h("div", { style: "margin: 0.8rem 0 0" },
          h("strong", {}, `${one.toUpperCase()}: class ${state[one]}, answer ${given}${given === Number(state[one]) ? "" : " ✗"}`),
          h("div", { style: "display: flex; flex-wrap: wrap; gap: 0.5rem 0.8rem; align-items: flex-end" },
            layer("image", [image(state, one)], 1), LAYERS.map(name => layer(name, found[number][name], limits[name]))));
      }),
      beside(values.map((one, number) => numbers(`${"AB"[number]}: ${which}, framed where they differ`, one, limits[state.layer], differs))),
    ];
  },
  says(state, record) {
    const [a, b] = passes(state, record);
    const layer = merge(a, b);
    const above = [a, b].map(one => one.relu1.flat(2).filter(value => value > 0).length);
    const together = layer === "conv1" ? "A and B are the same line." : layer ? `A and B are equal from ${layer} on: what told them apart before is lost, and no later layer can bring it back.` : `A and B differ in every layer, in the logits by up to ${show(difference(a.fc2, b.fc2), 2)}.`;
    return `${together} relu1 lets ${above[0]} numbers of A through and ${above[1]} of B. Logits of A: ${a.fc2.map(value => show(value, 1)).join(", ")}.`;
  },
});
