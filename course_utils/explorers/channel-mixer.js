// X4: one output pixel of a layer with channels: its products, channel by channel.
import { define, h, beside, choice, grid, largest, matrix, player, show, slider } from "./kit.js";

const digits = (text, low) => text.split(" ").map(row => [...row].map(digit => Number(digit) + low));
const kernels = text => text.split(" ").map(nine => matrix(3, 3, (u, v) => Number(nine[3 * u + v]) - 2));

/** Return the chapter's image (3, 6, 6), weight (2, 3, 3, 3) and bias. */
export const example = () => ({
  image: [
    digits("041396 962186 530773 028084 241297 932744", 0),
    digits("625421 847809 879063 656372 595234 791780", 0),
    digits("126256 075642 952110 399032 103137 677496", 0),
  ],
  weight: [kernels("411232123 320314341 012122241"), kernels("043443014 012420240 214433131")],
  bias: [10, -10],
});

/** Return a layer: all channels for each of 2 filters, or one channel for each of 3. */
function layerOf({ layer }) {
  const { image, weight, bias } = example();
  if (layer === "full") return { image, weight, bias, groups: 1 };
  return { image, weight: weight[0].map(kernel => [kernel]), bias: [0, 0, 0], groups: 3 };
}

/** Return the products of one kernel and the window at (row, column). */
export const products = (channel, kernel, row, column) =>
  kernel.map((weights, u) => weights.map((weight, v) => weight * channel[row + u][column + v] + 0));

/** Return the first channel that a filter sees. */
export const firstChannel = (filter, { weight, groups }) => Math.floor(filter / (weight.length / groups)) * weight[0].length;

const total = table => table.flat().reduce((sum, value) => sum + value, 0);

/** Return the sums of an output, [channel, sum] for each channel that its filter sees. */
export const channelSums = (layer, filter, row, column) =>
  layer.weight[filter].map((kernel, at) => {
    const channel = firstChannel(filter, layer) + at;
    return [channel, total(products(layer.image[channel], kernel, row, column))];
  });

/** Return the output maps when so many channels are added; after the last one comes the bias. */
export const outputMaps = (layer, terms) =>
  layer.weight.map((filter, number) => matrix(layer.image[0].length - filter[0].length + 1, layer.image[0][0].length - filter[0][0].length + 1, (row, column) => {
    const sums = channelSums(layer, number, row, column).map(([channel, sum]) => (channel < terms ? sum : 0));
    return total(sums) + (terms > layer.image.length ? layer.bias[number] : 0);
  }));

const signed = value => (value < 0 ? `(${show(value)})` : show(value));
const list = values => `${values.slice(0, -1).join(", ")} and ${values.at(-1)}`;
const ADDED = ["none", "channel 0", "channels 0, 1", "channels 0, 1, 2", "all and the bias"];

function drawChannel(layer, state, channel) {
  const { filter, row, column, terms } = state;
  const kernel = layer.weight[filter][channel - firstChannel(filter, layer)];
  const inside = (i, j) => i >= row && i < row + 3 && j >= column && j < column + 3;
  const added = kernel && channel < terms;
  const pixels = grid(layer.image[channel], { name: `Channel ${channel}`, mark: (i, j) => (!kernel ? "off" : inside(i, j) ? "in" : "") });
  if (!kernel) return h("div", {}, pixels, h("p", { class: "formula" }, `Map ${filter} does not see it.`));
  const made = products(layer.image[channel], kernel, row, column);
  return h("div", {}, pixels,
    h("div", { style: "display: flex; gap: 0.5rem; margin-top: 0.4rem" },
      grid(kernel, { name: "× kernel", limit: 4 }),
      grid(made, { name: "= products", limit: added && 30, mark: () => (added ? "" : "off"), text: value => (added ? show(value) : "·") })),
    h("p", { class: "formula" }, added ? ["sum ", h("strong", {}, show(total(made)))] : "not yet added"));
}

export const explorer = define({
  name: "channel-mixer",
  title: "Channel mixer",
  state: { layer: "full", filter: 0, row: 0, column: 1, terms: 4 },
  tidy(state) {
    const within = (value, most) => Math.min(most, Math.max(0, Math.round(value)));
    const layer = state.layer === "depthwise" ? "depthwise" : "full";
    return { layer, filter: within(state.filter, layer === "full" ? 1 : 2), row: within(state.row, 3), column: within(state.column, 3), terms: within(state.terms, 4) };
  },
  controls: [
    choice("layer", "Layer", { full: "Conv2d(3, 2, 3)", depthwise: "depthwise, groups=3" }),
    slider("terms", "Added", 0, 4, { text: value => ADDED[value] }),
    player("terms", 4, { every: 900 }),
  ],
  view(state, set) {
    const layer = layerOf(state);
    const maps = outputMaps(layer, state.terms);
    const limit = largest(outputMaps(layer, 4).flat());
    const sums = channelSums(layer, state.filter, state.row, state.column).filter(([channel]) => channel < state.terms).map(([, sum]) => sum);
    const parts = state.terms > 3 ? [...sums, layer.bias[state.filter]] : sums;
    const chosen = filter => filter === state.filter;
    const pickable = (map, filter) => grid(map, { name: `Map ${filter}`, limit, at: chosen(filter) ? [state.row, state.column] : null, pick: (row, column) => set({ filter, row, column }) });
    return h("div", { class: "small" },
      beside(maps.map(pickable)),
      h("div", { class: "beside", style: "align-items: flex-start" }, [0, 1, 2].map(channel => drawChannel(layer, state, channel))),
      h("p", { class: "formula" }, `Map ${state.filter}, row ${state.row}, column ${state.column}: ${parts.map(signed).join(" + ") || "0"}${state.terms > 3 ? " (the bias)" : ""} = `, h("strong", {}, show(total(parts)))));
  },
  says(state) {
    const layer = layerOf(state);
    const { filter, row, column, terms } = state;
    const sums = channelSums(layer, filter, row, column);
    const value = outputMaps(layer, terms)[filter][row][column];
    const where = `map ${filter}, row ${row}, column ${column}`;
    if (terms < 4) return `Added so far: ${ADDED[terms]}. The running sum of ${where} is ${show(value)}.`;
    if (state.layer === "full") return `27 products make one number, ${show(value)}: the sums ${list(sums.map(([, sum]) => show(sum)))} of the three channels and the bias ${show(layer.bias[filter])}. No map belongs to a channel.`;
    const together = outputMaps(layer, 4).reduce((sum, map) => sum + map[row][column], 0);
    return `${where[0].toUpperCase()}${where.slice(1)}, sees channel ${filter} alone: 9 products make ${show(value)}. The three kernels are those of filter 0 in the other layer; the three maps add up to ${show(together)} here, its output without the bias.`;
  },
});
