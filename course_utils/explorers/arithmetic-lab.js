// X3: sizes along one axis: which windows fit, which positions they read, and what is left over.
import { define, h, button, show, slider } from "./kit.js";

/** Return how many positions a kernel spans, from its first weight to its last. */
export const span = (k, d) => d * (k - 1) + 1;

/** Return the number of outputs, or null if the kernel does not fit into the padded line. */
export function outputSize(n, k, p, s, d) {
  const last = n + 2 * p - span(k, d);
  return last < 0 ? null : Math.floor(last / s) + 1;
}

/** Return how many windows read each position of the padded line. */
export function readCounts(n, k, p, s, d) {
  const counts = Array(n + 2 * p).fill(0);
  for (let i = 0; i < (outputSize(n, k, p, s, d) ?? 0); i++)
    for (let u = 0; u < k; u++) counts[i * s + u * d] += 1;
  return counts;
}

/** Return what the stride leaves over at the end: the output_padding of the way back. */
export const leftOver = (n, k, p, s, d) => (n + 2 * p - span(k, d)) % s;

/** Return the input sizes, from 1 on, that give as many outputs as n does. */
export function sizesAlike(n, k, p, s, d) {
  const first = n - leftOver(n, k, p, s, d);
  return Array.from({ length: s }, (_, more) => first + more).filter(size => size >= 1);
}

const settings = ({ n, k, p, s, d }) => [n, k, p, s, d];
const list = values => (values.length < 2 ? values.join() : `${values.slice(0, -1).join(", ")} and ${values.at(-1)}`);
const LIMITS = { n: [1, 14], k: [1, 5], p: [0, 6], s: [1, 5], d: [1, 3] };
const [CELL, ROW] = [24, 20];

const COLOURS = {
  pixel: "fill: light-dark(#cfe2f8, #27425f); stroke: var(--rule)",
  padding: "fill: none; stroke: var(--faint); stroke-dasharray: 3 2",
  first: "fill: light-dark(#b35900, #ffb066)",
  weight: "fill: light-dark(#f3b04b, #8f5a14)",
  ghost: "fill: none; stroke: light-dark(#b3261e, #ff8a80); stroke-dasharray: 3 2",
  cross: "fill: none; stroke: light-dark(#b3261e, #ff8a80); stroke-width: 2",
};
const box = (x, y, kind, inset) => h("rect", { x: x * CELL + inset, y: y + inset, width: CELL - 2 * inset, height: ROW - 2 * inset, rx: 2, style: COLOURS[kind] });
const words = (text, x, y, style) => h("text", { x, y, "text-anchor": "middle", style }, text);

/** Draw a kernel with its first weight at a place; what lies beyond the end is a ghost. */
function drawWindow(place, y, { k, d }, ghost) {
  const middle = y + ROW / 2;
  const line = h("line", { x1: (place + 0.5) * CELL, x2: (place + (k - 1) * d + 0.5) * CELL, y1: middle, y2: middle, style: ghost ? COLOURS.ghost : "stroke: light-dark(#b35900, #ffb066)" });
  return [line, Array.from({ length: k }, (_, u) => box(place + u * d, y, ghost ? "ghost" : u ? "weight" : "first", 3))];
}

function draw(state) {
  const { n, p, s, k, d } = state;
  const [padded, outputs, counts] = [n + 2 * p, outputSize(...settings(state)), readCounts(...settings(state))];
  const places = Array.from({ length: outputs ?? 0 }, (_, i) => i * s);
  const next = (outputs ?? 0) * s;
  const width = Math.max(padded, next + span(k, d));
  const every = width > 18 ? 5 : 1;
  const small = `font-size: ${width > 18 ? 15 : 12}px`; // a long line is drawn smaller
  const line = counts.map((count, position) => [
    box(position, ROW, position >= p && position < n + p ? "pixel" : "padding", 1),
    position % every === 0 && words(position, (position + 0.5) * CELL, ROW - 5, `fill: var(--faint); ${small}`),
    count ? words(count, (position + 0.5) * CELL, 2 * ROW - 5, `fill: var(--ink); ${small}`) : h("path", { d: `M${position * CELL + 8},${ROW + 6}l8,8m0,-8l-8,8`, style: COLOURS.cross }),
  ]);
  const height = (places.length + 3.3) * ROW;
  const edge = h("line", { x1: padded * CELL, x2: padded * CELL, y1: ROW - 2, y2: height, style: `${COLOURS.cross}; stroke-width: 1` });
  const name = `A line of ${padded} positions and the ${places.length} windows that fit; the next one would not.`;
  return h("figure", { class: "picture", style: "margin: 1rem 0 0.6rem" },
    h("figcaption", {}, "The padded line, with the number of windows that read each position; × is read by none. Below it each window, its first weight in the strong colour; in red the next one, which does not fit."),
    h("svg", { viewBox: `-1 0 ${width * CELL + 2} ${height}`, role: "img", "aria-label": name, style: `width: 100%; max-width: ${width * 32}px; display: block` },
      line, edge, places.map((place, i) => drawWindow(place, (2.2 + i) * ROW, state)), drawWindow(next, (2.2 + places.length) * ROW, state, true)));
}

export const explorer = define({
  name: "arithmetic-lab",
  title: "Arithmetic lab",
  state: { n: 10, k: 3, p: 1, s: 3, d: 2 },
  tidy: state => Object.fromEntries(Object.entries(LIMITS).map(([key, [low, high]]) => [key, Math.min(high, Math.max(low, Math.round(state[key])))])),
  controls: [
    slider("n", "Input size n", ...LIMITS.n),
    slider("k", "kernel_size k", ...LIMITS.k),
    slider("p", "padding p", ...LIMITS.p),
    slider("s", "stride s", ...LIMITS.s),
    slider("d", "dilation d", ...LIMITS.d),
    button("Keep the size", ({ k, d }) => ((d * (k - 1)) % 2 ? null : { s: 1, p: (d * (k - 1)) / 2 })),
  ],
  view(state) {
    const { n, k, p, s, d } = state;
    const [outputs, last] = [outputSize(n, k, p, s, d), n + 2 * p - span(k, d)];
    const start = `o = ⌊(${n} + 2·${p} − ${d}·(${k} − 1) − 1) / ${s}⌋ + 1 = ⌊${show(last)} / ${s}⌋ + 1`;
    return [
      h("p", { class: "formula" }, outputs === null ? `${start}: not to be used, as ${show(last)} is below 0` : [`${start} = `, h("strong", {}, outputs)]),
      draw(state),
      h("p", { class: "formula" }, h("code", { style: "user-select: all" }, `nn.Conv1d(1, 1, kernel_size=${k}, stride=${s}, padding=${p}, dilation=${d})`)),
    ];
  },
  says(state) {
    const { n, k, p, s, d } = state;
    const outputs = outputSize(n, k, p, s, d);
    if (outputs === null) return `The kernel spans ${span(k, d)} positions and the padded line has only ${n + 2 * p}: there is no place for it, and PyTorch raises an error.`;
    const unread = readCounts(n, k, p, s, d).flatMap((count, position) => (count || position < p || position >= n + p ? [] : [position]));
    const pixels = unread.length > 4 ? `${unread.length} of the pixels are read by no window` : unread.length ? `No window reads ${unread.length > 1 ? "the pixels at positions" : "the pixel at position"} ${list(unread)}` : "Every pixel is read";
    const left = leftOver(n, k, p, s, d);
    const alike = sizesAlike(n, k, p, s, d);
    const back = alike.length > 1 ? `; input sizes ${list(alike)} all give ${outputs}, and on the way back output_padding=${left} chooses ${n}` : "; no other input size gives as many";
    return `${n} pixels give ${outputs} ${outputs === 1 ? "output" : "outputs"}. ${pixels}${back}.`;
  },
});
