// X6: pooling forwards, its gradient backwards, and who gets it in a tie.
import { define, h, beside, choice, grid, largest, matrix, show, slider, toggle } from "./kit.js";

const IMAGES = {
  patch: [[181, 237, 170, 223], [229, 181, 89, 108], [109, 93, 48, 66], [158, 21, 71, 14]],
  ties: [[0, 0, 4, 4], [0, 0, 4, 4], [0, 9, 0, 0], [0, 0, 0, 7]],
  relu: [[0, 3, 5, 0], [4, 0, 3, 0], [1, 0, 20, 4], [5, 6, 0, 9]],
  negative: matrix(4, 4, () => -5),
};
const WORDS = { patch: "the patch", ties: "ties", relu: "the map after ReLU", negative: "−5 everywhere" };

/** Return the number of windows along an axis of n pixels. */
export function outputSize(n, { kernel, stride, padding, ceil }) {
  const last = n + 2 * padding - kernel;
  const size = (ceil ? Math.ceil(last / stride) : Math.floor(last / stride)) + 1;
  return ceil && (size - 1) * stride >= n + padding ? size - 1 : size; // it must begin on a pixel or before
}

/** Return the pixels of window (i, j) as [row, column], in reading order, without padding. */
function members(pixels, { kernel, stride, padding }, i, j) {
  const place = index => [Math.floor(index / kernel), index % kernel];
  return Array.from({ length: kernel * kernel }, (_, index) => place(index))
    .map(([u, v]) => [i * stride - padding + u, j * stride - padding + v])
    .filter(([row, column]) => pixels[row]?.[column] !== undefined);
}

/** Return what window (i, j) passes on from which pixel: [row, column, share] each. */
export function shares(pixels, settings, i, j) {
  const inside = members(pixels, settings, i, j);
  if (settings.kind === "max") {
    const best = inside.reduce((winner, place) => (pixels[place[0]][place[1]] > pixels[winner[0]][winner[1]] ? place : winner));
    return [[...best, 1]];
  }
  const { kernel, stride, padding } = settings; // a mean counts padding, but nothing beyond it
  const extent = (at, n) => Math.min(at * stride - padding + kernel, n + padding) - (at * stride - padding);
  const divisor = extent(i, pixels.length) * extent(j, pixels[0].length);
  return inside.map(place => [...place, 1 / divisor]);
}

/** Return the outputs of max or average pooling. */
export const pool = (pixels, settings) =>
  matrix(outputSize(pixels.length, settings), outputSize(pixels[0].length, settings), (i, j) =>
    shares(pixels, settings, i, j).reduce((sum, [row, column, share]) => sum + share * pixels[row][column], 0));

/** Return the gradient of the pixels, given that of the outputs. */
export function route(pixels, sent, settings) {
  const received = pixels.map(row => row.map(() => 0));
  sent.forEach((line, i) => line.forEach((gradient, j) => {
    for (const [row, column, share] of shares(pixels, settings, i, j)) received[row][column] += share * gradient;
  }));
  return received;
}

const nudged = ({ image, pixel, nudge }) => IMAGES[image].map((line, row) => line.map((value, column) => (row === pixel[0] && column === pixel[1] ? value + nudge : value)));
const weigh = (outputs, sent) => outputs.flat().reduce((sum, value, at) => sum + value * sent.flat()[at], 0);

function parts(state) {
  const [before, pixels] = [IMAGES[state.image], nudged(state)];
  const outputs = pool(pixels, state);
  const sent = outputs.map((line, i) => line.map((_, j) => (state.sent === "ones" ? 1 : i * line.length + j + 1)));
  return { before, pixels, outputs, sent, received: route(pixels, sent, state) };
}

export const explorer = define({
  name: "pool-and-route",
  title: "Pool and route",
  state: { image: "patch", kind: "max", kernel: 2, stride: 1, padding: 0, ceil: false, sent: "ones", output: [0, 0], pixel: [0, 1], nudge: 0 },
  tidy(state) {
    const within = (value, low, high) => Math.min(high, Math.max(low, Math.round(value)));
    const image = state.image in IMAGES ? state.image : "patch";
    const kernel = within(state.kernel, 1, 3);
    const settings = { kernel, stride: within(state.stride, 1, 3), padding: within(state.padding, 0, Math.floor(kernel / 2)), ceil: state.ceil };
    const size = outputSize(4, settings);
    return {
      image, kind: state.kind === "mean" ? "mean" : "max", ...settings, sent: state.sent === "counting" ? "counting" : "ones",
      output: state.output.map(at => within(at, 0, size - 1)), pixel: state.pixel.map(at => within(at, 0, 3)), nudge: within(state.nudge, -10, 10),
    };
  },
  controls: [
    choice("image", "Pixels", WORDS),
    choice("kind", "Layer", { max: "nn.MaxPool2d", mean: "nn.AvgPool2d" }),
    slider("kernel", "kernel_size", 1, 3),
    slider("stride", "stride", 1, 3),
    slider("padding", "padding", 0, state => Math.floor(state.kernel / 2)),
    toggle("ceil", "ceil_mode"),
    choice("sent", "Sent back", { ones: "a 1 from every output", counting: "1, 2, 3, …" }),
    slider("nudge", "Add to the chosen pixel", -10, 10),
  ],
  view(state, set) {
    const { pixels, outputs, sent, received } = parts(state);
    const { padding, kind, output: [i, j] } = state;
    const passed = new Set(shares(pixels, state, i, j).map(String));
    const framed = matrix(4 + 2 * padding, 4 + 2 * padding, (row, column) => pixels[row - padding]?.[column - padding]);
    const inWindow = (at, start) => at >= start * state.stride && at < start * state.stride + state.kernel;
    const mark = (row, column) => [
      inWindow(row, i) && inWindow(column, j) ? "in" : "",
      kind === "max" && passed.has(String([row - padding, column - padding, 1])) ? "on" : "",
      received[row - padding]?.[column - padding] ? "" : "off",
    ].join(" ");
    const here = (row, column) => (row === i && column === j ? "on" : "");
    return [beside(
      grid(framed, { name: padding ? "Pixels in their frame" : "Pixels", text: value => (value === undefined ? (kind === "max" ? "−∞" : "0") : show(value)), mark, at: state.pixel.map(at => at + padding), pick: (row, column) => set({ pixel: [row - padding, column - padding] }) }),
      grid(outputs, { name: "Outputs", text: value => show(value, 1), at: [i, j], pick: (row, column) => set({ output: [row, column] }) }),
      grid(sent, { name: "Sent back", mark: here }),
      grid(received, { name: "Received", limit: largest(received), mark: (row, column) => (row === state.pixel[0] && column === state.pixel[1] ? "on" : "") }),
    ), h("p", { class: "formula" }, `Choose a pixel or an output. Shaded is the window of the chosen output${kind === "max" ? ", framed its winner" : ""}; a dashed pixel receives nothing.`)];
  },
  says(state) {
    const { before, pixels, outputs, sent, received } = parts(state);
    const { output: [i, j], pixel: [row, column], kind, nudge } = state;
    const from = kind === "max" ? `the value of the pixel at row ${shares(pixels, state, i, j)[0].slice(0, 2).join(", column ")}` : "the mean of its window";
    const idle = received.flat().filter(value => value === 0).length;
    const first = `The chosen output, ${show(outputs[i][j], 2)}, is ${from}. `;
    if (!nudge) return `${first}The chosen pixel, at row ${row}, column ${column}, receives ${show(received[row][column], 2)}; ${idle ? `${idle} of 16 pixels receive nothing` : "no pixel goes away empty"}.`;
    const gradient = route(before, sent, state)[row][column];
    const moved = weigh(outputs, sent) - weigh(pool(before, state), sent);
    const total = state.sent === "ones" ? "the sum of the outputs" : "the weighted sum of the outputs";
    return `${first}Adding ${show(nudge)} to the chosen pixel moves ${total} by ${show(moved, 2)}; its gradient before, ${show(gradient, 2)}, promised ${show(gradient * nudge, 2)}.`;
  },
});
