// X5: the table of windows: a column is a window, a row is a shifted piece of a channel.
import { define, h, beside, grid, matrix, player, slider, toggle } from "./kit.js";

const [HEIGHT, WIDTH] = [4, 5];

/** Return the rows and columns of the output map. */
export const outputShape = ({ kernel, stride, padding, dilation }) =>
  [HEIGHT, WIDTH].map((size, axis) => Math.floor((size + 2 * padding - dilation * (kernel[axis] - 1) - 1) / stride) + 1);

/** Return the channel, kernel row and kernel column (c, u, v) of a row of the table. */
export const rowPlace = (row, [height, width]) => [Math.floor(row / (height * width)), Math.floor(row / width) % height, row % width];

/** Return where an entry of the table lies in the image: channel, row, column; outside it is padding. */
export function source(row, window, settings) {
  const { kernel, stride, padding, dilation } = settings;
  const [c, u, v] = rowPlace(row, kernel);
  const across = outputShape(settings)[1];
  return [c, Math.floor(window / across) * stride + u * dilation - padding, (window % across) * stride + v * dilation - padding];
}

const isPixel = ([, row, column]) => row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
const pixel = ([c, row, column]) => (c * HEIGHT + row) * WIDTH + column; // the pixels are numbered through

const sources = settings => {
  const [down, across] = outputShape(settings);
  return matrix(2 * settings.kernel[0] * settings.kernel[1], down * across, (row, window) => source(row, window, settings));
};

/** Return the table of two channels whose pixels are numbered through; padding is 0. */
export const im2col = settings => sources(settings).map(line => line.map(place => (isPixel(place) ? pixel(place) : 0)));

/** Return how many copies of each pixel the table has, channel by channel. */
export function copies(settings) {
  const counts = [0, 1].map(() => matrix(HEIGHT, WIDTH, () => 0));
  for (const place of sources(settings).flat().filter(isPixel)) counts[place[0]][place[1]][place[2]] += 1;
  return counts;
}

const settingsOf = ({ height, width, stride, padding, dilation }) => ({ kernel: [height, width], stride, padding, dilation });

/** Draw the table; the mouse chooses the entry that it is over, and a click any. */
function drawTable(state, set) {
  const entries = sources(settingsOf(state));
  const [cellWidth, cellHeight, columns, rows] = [24, 19, entries[0].length, entries.length];
  const chosen = String(entries[state.row][state.window]);
  const wide = columns > (innerWidth < 640 ? 14 : 25); // then a number would be too small to read
  const half = rows / 2 * cellHeight;
  const cell = (place, row, window) => {
    const [inside, same] = [isPixel(place), String(place) === chosen];
    const fill = same && inside ? "light-dark(#f3b04b, #8f5a14)" : window === state.window || row === state.row ? "color-mix(in oklab, var(--accent) 22%, var(--cell))" : "var(--cell)";
    const stroke = row === state.row && window === state.window ? "stroke: var(--ink); stroke-width: 2" : `stroke: var(--rule)${inside ? "" : "; stroke-dasharray: 2 2"}`;
    const [x, y] = [window * cellWidth + 1, row * cellHeight + 1];
    const over = event => event.pointerType === "mouse" && (row !== state.row || window !== state.window) && set({ row, window });
    return h("g", { onclick: () => set({ row, window }), onpointermove: over, style: "cursor: pointer" },
      h("rect", { x, y, width: cellWidth - 2, height: cellHeight - 2, rx: 2, style: `fill: ${fill}; ${stroke}` }),
      !wide && h("text", { x: x + cellWidth / 2 - 1, y: y + 13, "text-anchor": "middle", style: `font-size: 12px; fill: var(--${inside ? "ink" : "faint"})` }, inside ? pixel(place) : 0));
  };
  const name = `Table, ${rows} × ${columns}: a row for each place in the kernel, a column for each window`;
  return h("figure", { class: "picture" }, h("figcaption", {}, `${name}${wide ? " (too wide for its numbers)" : ""}`),
    h("svg", { viewBox: `-1 -1 ${columns * cellWidth + 2} ${rows * cellHeight + 2}`, role: "img", "aria-label": name, style: `width: 100%; max-width: ${columns * 30}px; display: block` },
      entries.map((line, row) => line.map((place, window) => cell(place, row, window))),
      h("line", { x1: 0, x2: columns * cellWidth, y1: half, y2: half, style: "stroke: var(--ink); stroke-width: 1.5" })));
}

const within = (value, low, high) => Math.min(high, Math.max(low, Math.round(value)));
const rowsOf = ({ height, width }) => 2 * height * width;
const windowsOf = state => outputShape(settingsOf(state)).reduce((down, across) => down * across);

export const explorer = define({
  name: "im2col-viewer",
  title: "im2col viewer",
  state: { height: 2, width: 3, stride: 1, padding: 0, dilation: 1, window: 5, row: 6, counted: false },
  tidy(state) {
    const kept = {
      height: within(state.height, 1, 3), width: within(state.width, 1, 3), stride: within(state.stride, 1, 3),
      padding: within(state.padding, 0, 1), counted: state.counted,
    };
    const room = Math.min(...[[HEIGHT, kept.height], [WIDTH, kept.width]].map(([size, kernel]) => (kernel > 1 ? Math.floor((size + 2 * kept.padding - 1) / (kernel - 1)) : 2)));
    kept.dilation = within(state.dilation, 1, Math.min(2, room));
    return { ...kept, window: within(state.window, 0, windowsOf(kept) - 1), row: within(state.row, 0, rowsOf(kept) - 1) };
  },
  controls: [
    slider("window", "Window", 0, state => windowsOf(state) - 1),
    player("window", state => windowsOf(state) - 1, { forward: "Next", every: 700 }),
    slider("row", "Row of the table", 0, state => rowsOf(state) - 1),
    slider("height", "Kernel height", 1, 3),
    slider("width", "Kernel width", 1, 3),
    slider("stride", "stride", 1, 3),
    slider("padding", "padding", 0, 1),
    slider("dilation", "dilation", 1, 2),
    toggle("counted", "Show the number of copies"),
  ],
  view(state, set) {
    const settings = settingsOf(state);
    const { padding: p, window, row } = state;
    const [down, across] = outputShape(settings);
    const chosen = source(row, window, settings);
    const inWindow = new Set(sources(settings).map(line => String(line[window])));
    const counts = copies(settings);
    const channel = c => grid(matrix(HEIGHT + 2 * p, WIDTH + 2 * p, (i, j) => [c, i - p, j - p]), {
      name: `Channel ${c}${state.counted ? ", copies" : ""}`,
      text: place => (!isPixel(place) ? 0 : state.counted ? counts[c][place[1]][place[2]] : pixel(place)),
      mark: (i, j) => [inWindow.has(String([c, i - p, j - p])) ? "in" : "", String([c, i - p, j - p]) === String(chosen) ? "on" : "", isPixel([c, i - p, j - p]) ? "" : "off"].join(" "),
    });
    const numbers = matrix(down, across, (i, j) => i * across + j);
    return h("div", { class: "small" },
      beside(channel(0), channel(1), grid(numbers, { name: "Windows", text: String, at: [Math.floor(window / across), window % across], hover: true, pick: (i, j) => set({ window: i * across + j }) })),
      drawTable(state, set));
  },
  says(state) {
    const settings = settingsOf(state);
    const { window, row } = state;
    const [c, u, v] = rowPlace(row, settings.kernel);
    const across = outputShape(settings)[1];
    const place = source(row, window, settings);
    const count = isPixel(place) ? copies(settings)[c][place[1]][place[2]] : 0;
    const entry = isPixel(place) ? `pixel ${pixel(place)}, which has ${count} ${count === 1 ? "copy" : "copies"} in the table` : "a zero of the padding";
    const [i, j] = [Math.floor(window / across), window % across];
    return `Column ${window} = ${i}·${across} + ${j} is the window at row ${i}, column ${j} of the output. Row ${row} = (${c}·${state.height} + ${u})·${state.width} + ${v} is channel ${c}, u = ${u}, v = ${v}. Where they meet stands ${entry}.`;
  },
});
