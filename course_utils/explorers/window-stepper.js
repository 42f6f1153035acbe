// X2: one output of a correlation or a convolution, one product at a time.
import { define, h, beside, choice, grid, largest, matrix, player, show, slider, toggle } from "./kit.js";

const IMAGES = {
  patch: [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
  seven: matrix(7, 7, (row, column) => (3 * row + 5 * column + row * column) % 10),
};
const KERNELS = {
  sobel: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
  ell: [[1, 0, 0], [2, 0, 0], [4, 3, 0]],
  blur: [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
  corner: [[0, 0, 0], [0, 0, 2], [1, 0, 0]],
};

/** Turn a kernel by 180 degrees. */
export const turn = kernel => kernel.map(row => [...row].reverse()).reverse();

/** Return the products of the window whose corner is at (row, column), in reading order. */
export const products = (image, kernel, row, column) =>
  kernel.flatMap((weights, u) => weights.map((weight, v) => weight * image[row + u][column + v]));

/** Return all outputs: the correlation, or with a turned kernel the convolution. */
export const correlate = (image, kernel) =>
  matrix(image.length - kernel.length + 1, image[0].length - kernel[0].length + 1, (row, column) =>
    products(image, kernel, row, column).reduce((sum, product) => sum + product, 0));

const parts = state => {
  const image = IMAGES[state.image];
  const kernel = state.flip ? turn(KERNELS[state.kernel]) : KERNELS[state.kernel];
  const all = products(image, kernel, state.row, state.column);
  const sum = all.slice(0, state.step).reduce((total, product) => total + product, 0);
  return { image, kernel, all, sum };
};

export const explorer = define({
  name: "window-stepper",
  title: "Window stepper",
  state: { image: "patch", kernel: "sobel", flip: false, row: 0, column: 0, step: 9 },
  tidy(state) {
    const image = state.image in IMAGES ? state.image : "patch";
    const within = (value, most) => Math.min(most, Math.max(0, Math.round(value)));
    const most = IMAGES[image].length - 3;
    return {
      ...state, image, kernel: state.kernel in KERNELS ? state.kernel : "sobel",
      row: within(state.row, most), column: within(state.column, most), step: within(state.step, 9),
    };
  },
  controls: [
    choice("image", "Image", { patch: "the nine pixels 1 to 9", seven: "7 × 7 digits" }),
    choice("kernel", "Kernel", { sobel: "Sobel-x", ell: "an L", blur: "all ones", corner: "two weights" }),
    toggle("flip", "Turn the kernel (convolution)"),
    slider("step", "Products added", 0, 9),
    player("step", 9),
  ],
  view(state, set) {
    const { image, kernel, all, sum } = parts(state);
    const [u, v] = [Math.floor((state.step - 1) / 3), (state.step - 1) % 3];
    const outputs = correlate(image, kernel);
    const inWindow = (row, column) => row >= state.row && row < state.row + 3 && column >= state.column && column < state.column + 3;
    const running = matrix(3, 3, (row, column) => all[3 * row + column]);
    const done = (row, column) => 3 * row + column < state.step;
    return [
      beside(
        grid(image, { name: "Pixels", mark: (row, column) => (row === state.row + u && column === state.column + v ? "on" : inWindow(row, column) ? "in" : "") }),
        grid(kernel, { name: state.flip ? "Weights, turned" : "Weights", limit: largest(kernel), mark: (row, column) => (row === u && column === v ? "on" : "") }),
        grid(running, { name: "Products", limit: largest(running), text: (value, row, column) => (done(row, column) ? show(value) : "·"), mark: (row, column) => (row === u && column === v ? "on" : done(row, column) ? "" : "off") }),
        grid(outputs, { name: "Outputs", limit: largest(outputs), at: [state.row, state.column], pick: (row, column) => set({ row, column }) }),
      ),
      h("p", { class: "formula" }, `${all.slice(0, state.step).map(product => (product < 0 ? `(${show(product)})` : show(product))).join(" + ") || "0"} = `, h("strong", {}, show(sum))),
    ];
  },
  says(state) {
    const { all, sum } = parts(state);
    const where = `the window with its corner at row ${state.row}, column ${state.column}`;
    if (state.step < 9) return `After ${state.step} of 9 products the running sum of ${where} is ${show(sum)}.`;
    const kind = state.flip ? "convolution" : "correlation";
    return `All ${all.length} products of ${where} add up to ${show(sum)}: one output of the ${kind}.`;
  },
});
