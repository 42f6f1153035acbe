// X1: nine numbers, what they make of an image, and four ways to look at it.
import { define, h, beside, button, choice, editable, largest, matrix, picture, show } from "./kit.js";

const KERNELS = {
  sobel_y: [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
  sobel_x: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
  laplacian: [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
  sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  ones: [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
  tent: [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
  counting: [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
};
const NAMES = { sobel_y: "Sobel-y", sobel_x: "Sobel-x", laplacian: "Laplacian", sharpen: "sharpen", ones: "all ones", tent: "a tent, 1 2 1", counting: "1 to 9", own: "your own" };
const IMAGES = { cat: "the cat", wall: "a wall, all 0.5", pixel: "one white pixel", square: "a bright square", slope: "a slope" };
const VIEWS = { raw: "raw", abs: "abs", clip: "clip", normalise: "normalise" };
const DRAWN = {
  wall: () => matrix(12, 16, () => 0.5),
  pixel: () => matrix(12, 16, (row, column) => Number(row === 5 && column === 7)),
  square: () => matrix(24, 32, (row, column) => (row >= 6 && row < 18 && column >= 8 && column < 24 ? 0.8 : 0.2)),
  slope: () => matrix(24, 32, (row, column) => column / 31),
};

/** Return the photo: part of the chapter's cat, from 0 to 1. */
export const photo = () => courseExplorers.data["filter-playground"].map(row => row.map(byte => byte / 255));

/** Return what a 3 x 3 kernel makes of an image, wherever it fits. */
export const applyFilter = (image, kernel) =>
  matrix(image.length - 2, image[0].length - 2, (row, column) => {
    let sum = 0;
    for (let u = 0; u < 3; u++) for (let v = 0; v < 3; v++) sum += kernel[u][v] * image[row + u][column + v];
    return sum;
  });

/** Return the least and the greatest output that pixels from 0 to 1 can give. */
export const bounds = kernel => [Math.min, Math.max].map(side => kernel.flat().reduce((sum, weight) => sum + side(weight, 0), 0));

/** Return a kernel divided by its sum, null if the sum is 0. */
export function normalised(kernel) {
  const sum = total(kernel);
  return Math.abs(sum) < 1e-6 ? null : kernel.map(row => row.map(weight => weight / sum));
}

const total = kernel => kernel.flat().reduce((sum, weight) => sum + weight, 0);
const extremes = values => [Math.min, Math.max].map(side => values.reduce((a, b) => side(a, b)));
const kept = value => Math.abs(value) < 1e-9 ? 0 : value; // what rounding leaves of a 0

/** Return an output as greys from 0, black, to 1, white. */
export function greys(output, view) {
  const [low, high] = extremes(output.flat());
  const most = Math.max(-low, high) || 1;
  const grey = {
    raw: value => 0.5 + value / (2 * most),
    abs: value => Math.abs(value) / most,
    clip: value => Math.min(Math.max(value, 0), 1),
    normalise: value => (value - low) / (high - low || 1),
  }[view];
  return output.map(row => row.map(grey));
}

const imageOf = ({ image }) => (image === "cat" ? photo() : DRAWN[image]());
const outputOf = state => applyFilter(imageOf(state), state.kernel).map(row => row.map(kept));

/** Draw how often each output occurs: blue what clip cuts below 0, orange what it cuts above 1. */
function histogram(values) {
  const [found, width, height] = [extremes(values), 256, 96];
  const [low, high] = [Math.min(found[0], 0), Math.max(found[1], 1)];
  const per = Math.max(1, Math.round(64 / (high - low))); // bins in one unit, so that 0 and 1 are edges
  const bin = value => (value > 0 ? Math.ceil(value * per - 1e-9) - 1 : Math.floor(value * per));
  const x = value => 12 + (width - 24) * (value - low) / (high - low);
  const counts = new Map();
  for (const value of values) counts.set(bin(value), (counts.get(bin(value)) ?? 0) + 1);
  const most = Math.log1p(Math.max(...counts.values()));
  const bars = [...counts].map(([at, count]) => {
    const tall = height * Math.log1p(count) / most;
    const colour = at < 0 ? "below" : at >= per ? "above" : "faint";
    return h("rect", { x: x(at / per), y: height - tall, width: Math.max(2, x(1 / per) - x(0)), height: tall, style: `fill: var(--${colour})` });
  });
  const ticks = [0, 1].map(value => [
    h("line", { x1: x(value), x2: x(value), y1: 0, y2: height + 4, style: "stroke: var(--ink); stroke-width: 1" }),
    h("text", { x: x(value), y: height + 17, "text-anchor": "middle", style: "fill: var(--ink); font-size: 12px" }, value),
  ]);
  return h("figure", { class: "picture" },
    h("figcaption", {}, "Outputs, log scale: below 0, above 1 in colour"),
    h("svg", { viewBox: `0 0 ${width} ${height + 20}`, role: "img", "aria-label": "Histogram of the outputs, with marks at 0 and 1", style: `width: ${width}px; max-width: 100%; display: block` }, bars, ticks));
}

export const explorer = define({
  name: "filter-playground",
  title: "Filter playground",
  data: "filter-playground",
  state: { image: "cat", preset: "sobel_y", kernel: KERNELS.sobel_y, view: "raw" },
  tidy(state) {
    const kernel = state.kernel.map(row => row.map(weight => Math.min(99, Math.max(-99, weight))));
    return {
      image: state.image in IMAGES ? state.image : "cat", kernel, view: state.view in VIEWS ? state.view : "raw",
      preset: JSON.stringify(KERNELS[state.preset]) === JSON.stringify(kernel) ? state.preset : "own",
    };
  },
  controls: [
    choice("image", "Image", IMAGES),
    choice("preset", "Kernel", NAMES, preset => (preset === "own" ? { preset } : { preset, kernel: KERNELS[preset] })),
    button("Divide by the sum", ({ kernel }) => (Math.abs(total(kernel) - 1) < 1e-6 || !normalised(kernel) ? null : { kernel: normalised(kernel) })),
    choice("view", "View", VIEWS),
  ],
  view(state, set) {
    const output = outputOf(state);
    const change = (row, column, value) => set({ kernel: state.kernel.map((line, u) => line.map((weight, v) => (u === row && v === column ? value : weight))) });
    return [
      beside(
        editable(state.kernel, { name: `Kernel, sum ${show(kept(total(state.kernel)))}`, limit: largest(state.kernel), change }),
        histogram(output.flat()),
      ),
      beside(
        picture(imageOf(state), { name: `Image, ${output.length + 2} × ${output[0].length + 2}`, size: 256 }),
        picture(greys(output, state.view), { name: `Output, ${output.length} × ${output[0].length}, view: ${VIEWS[state.view]}`, size: 256 }),
      ),
    ];
  },
  says(state) {
    const values = outputOf(state).flat();
    const sum = kept(total(state.kernel));
    const [[low, high], [least, most]] = [extremes(values), bounds(state.kernel)];
    const flat = sum === 0 ? "so every flat region becomes 0" : Math.abs(sum - 1) < 1e-6 ? "so a flat region keeps its grey" : `so a flat region of 0.5 becomes ${show(sum / 2)}`;
    const share = test => `${show(100 * values.filter(test).length / values.length, 1)} %`;
    const seen = {
      raw: "Raw draws 0 as mid grey.",
      abs: `Abs drops the sign of the ${share(value => value < 0)} below 0.`,
      clip: `Clip turns the ${share(value => value < 0)} below 0 black and the ${share(value => value > 1)} above 1 white.`,
      normalise: "Normalise stretches the two extremes to black and white.",
    }[state.view];
    const found = high - low < 1e-9 ? `Here every output is ${show(low, 2)}` : `Here the outputs reach from ${show(low, 2)} to ${show(high, 2)}`;
    return `The nine weights add up to ${show(sum)}, ${flat}. ${found}; ${show(least, 2)} to ${show(most, 2)} are possible. ${seen}`;
  },
});
