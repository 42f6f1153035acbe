// X16: LeNet-5 reads what is drawn, with the weights that the course ships.
import { define, h, beside, button, choice, matrix, picture, show, slider, toggle } from "./kit.js";

const SIZE = 28;
const [MEAN, STD] = [0.1307, 0.3081]; // of the training digits, where ink goes from 0 to 1
const DIGITS = {
  "test-3": "a 0", "test-2": "a 1", "test-1": "a 2", "test-18": "a 3", "test-4": "a 4", "test-8": "a 5", "test-11": "a 6", "test-0": "a 7",
  "test-61": "an 8", "test-7": "a 9", "test-8408": "an 8, misread", "test-2035": "a 5, misread", "test-1232": "a 9, misread",
};
const SPOILS = { none: "as it is", inverted: "black on white", bold: "bold", small: "half as large" };

// --- ink: 784 numbers from 0 to 255, row by row ------------------------------------------------

const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
const at = (ink, row, column) => (row >= 0 && row < SIZE && column >= 0 && column < SIZE ? ink[SIZE * row + column] : 0);
const drawn = f => Float32Array.from({ length: SIZE * SIZE }, (_, place) => f(Math.floor(place / SIZE), place % SIZE));

/** Write 16 levels of ink as text: a hexadecimal digit a pixel, "z" and two letters for a run of paper. */
export const encode = levels =>
  Array.from(levels, level => level.toString(16)).join("").replace(/0{4,}/g, run => `z${run.length.toString(36).padStart(2, "0")}`);

/** Read what encode wrote; paper for everything else. */
export function decode(text) {
  const digits = text.replace(/z([0-9a-z]{2})/g, (_, length) => "0".repeat(parseInt(length, 36))).slice(0, SIZE * SIZE);
  return Uint8Array.from({ length: SIZE * SIZE }, (_, place) => parseInt(digits[place], 16) || 0);
}

/** Put a round pen with soft edges on the levels, its middle at (row, column) in pixels; or rub out. */
export function dab(levels, row, column, width, erase = false) {
  return levels.map((level, place) => {
    const distance = Math.hypot(Math.floor(place / SIZE) - row, (place % SIZE) - column);
    const ink = Math.round(15 * Math.min(1, Math.max(0, (width + 1) / 2 - distance)));
    return erase ? Math.min(level, 15 - ink) : Math.max(level, ink);
  });
}

/** Spoil a picture as the chapter does: bold or half as large, moved, black on white. */
export function spoil(ink, how, right) {
  const window = (row, column, size) => matrix(size, size, (u, v) => at(ink, row + u, column + v)).flat();
  let spoilt = ink;
  if (how === "bold") spoilt = drawn((row, column) => Math.max(...window(row - 1, column - 1, 3)));
  if (how === "small") spoilt = drawn((row, column) => window(2 * (row - 7), 2 * (column - 7), 2).reduce((sum, value) => sum + value / 4, 0));
  const moved = drawn((row, column) => at(spoilt, row, column - right));
  return how === "inverted" ? moved.map(value => 255 - value) : moved;
}

/** Bring a picture into the form of MNIST: white on black, cut out, 20 pixels long, mass at (14, 14). */
export function prepare(ink) {
  const white = ink.reduce((sum, value) => sum + value, 0) > 127.5 * ink.length ? ink.map(value => 255 - value) : ink;
  const places = Array.from(white.keys()).filter(place => white[place] > 0);
  if (!places.length) return Float32Array.from(white);
  const [rows, columns] = [places.map(place => Math.floor(place / SIZE)), places.map(place => place % SIZE)];
  const [top, left] = [Math.min(...rows), Math.min(...columns)];
  const [height, width] = [Math.max(...rows) - top + 1, Math.max(...columns) - left + 1];
  const scaled = side => Math.max(1, Math.floor((side * 20) / Math.max(height, width) + 0.5));
  const cut = matrix(height, width, (row, column) => at(white, top + row, left + column));
  const small = transpose(resample(transpose(resample(cut, scaled(height))), scaled(width)));
  const mass = small.flat().reduce((sum, value) => sum + value, 0);
  const middle = table => table.reduce((sum, row, number) => sum + number * row.reduce((total, value) => total + value, 0), 0) / mass;
  const [down, along] = [small, transpose(small)].map(table => Math.min(SIZE - table.length, Math.max(0, Math.floor(14 - middle(table) + 0.5))));
  return drawn((row, column) => small[row - down]?.[column - along] ?? 0);
}

const transpose = table => table[0].map((_, column) => table.map(row => row[column]));

/** Bring a table to so many rows, as F.interpolate does: bilinear, antialias=True. */
function resample(table, size) {
  const scale = table.length / size;
  const reach = Math.max(1, scale);
  return Array.from({ length: size }, (_, row) => {
    const shares = table.map((_, from) => Math.max(0, 1 - Math.abs(from + 0.5 - (row + 0.5) * scale) / reach));
    const all = shares.reduce((sum, share) => sum + share, 0);
    return table[0].map((_, column) => table.reduce((sum, values, from) => sum + (shares[from] / all) * values[column], 0));
  });
}

// --- LeNet-5 ----------------------------------------------------------------------------------

const unpacked = new Map();

function weights(record, name) {
  const text = record.weights[name];
  if (!unpacked.has(text)) unpacked.set(text, new Float32Array(bytes(text).buffer));
  return unpacked.get(text);
}

/** Return bias + weights times inputs: 5 x 5 kernels over square maps; a linear layer has size 1. */
function affine(record, layer, inputs, size, kernel = 5) {
  const [weight, bias] = [weights(record, `${layer}.weight`), weights(record, `${layer}.bias`)];
  const [channels, out] = [inputs.length / size ** 2, size - kernel + 1];
  const outputs = new Float32Array(bias.length * out * out);
  for (let o = 0, place = 0; o < bias.length; o++)
    for (let row = 0; row < out; row++)
      for (let column = 0; column < out; column++, place++) {
        let sum = bias[o];
        for (let c = 0, w = o * channels * kernel ** 2; c < channels; c++)
          for (let u = 0; u < kernel; u++)
            for (let v = 0, from = (c * size + row + u) * size + column; v < kernel; v++) sum += weight[w++] * inputs[from++];
        outputs[place] = sum;
      }
  return outputs;
}

const relu = values => values.map(value => Math.max(0, value));

function maxPool(inputs, size) {
  const [half, outputs] = [size / 2, new Float32Array(inputs.length / 4)];
  for (let place = 0; place < outputs.length; place++) {
    const from = 2 * size * Math.floor(place / half) + 2 * (place % half);
    outputs[place] = Math.max(inputs[from], inputs[from + 1], inputs[from + size], inputs[from + size + 1]);
  }
  return outputs;
}

/** Return what every layer gives for ink from 0 to 255, after its rectifier where it has one. */
export function layers(ink, record = courseExplorers.data.lenet5) {
  const padded = new Float32Array(32 * 32);
  ink.forEach((value, place) => (padded[32 * (Math.floor(place / SIZE) + 2) + (place % SIZE) + 2] = (value / 255 - MEAN) / STD));
  const C1 = relu(affine(record, "C1", padded, 32));
  const S2 = maxPool(C1, 28);
  const C3 = relu(affine(record, "C3", S2, 14));
  const S4 = maxPool(C3, 10);
  const C5 = relu(affine(record, "C5", S4, 5));
  const F6 = relu(affine(record, "F6", C5, 1, 1));
  return { C1, S2, C3, S4, C5, F6, OUTPUT: affine(record, "OUTPUT", F6, 1, 1) };
}

/** Return the probabilities of ten logits. */
export function softmax(logits) {
  const powers = Array.from(logits, logit => Math.exp(logit - Math.max(...logits)));
  return powers.map(power => power / powers.reduce((sum, one) => sum + one, 0));
}

// --- the explorer -----------------------------------------------------------------------------

const original = (state, record) => (state.digit === "own" ? Float32Array.from(decode(state.ink), level => 17 * level) : bytes(record.digits[state.digit].ink));
const results = new WeakMap();

/** Return what LeNet-5 gets in a state, all layers, its answers from the first to the last, and their probabilities. */
function result(state, record = courseExplorers.data.lenet5) {
  if (!results.has(state)) {
    const spoilt = spoil(original(state, record), state.spoil, state.right);
    const ink = state.prepare ? prepare(spoilt) : spoilt;
    const found = layers(ink, record);
    const answers = Array.from(found.OUTPUT.keys()).sort((a, b) => found.OUTPUT[b] - found.OUTPUT[a]);
    results.set(state, { ink, found, answers, probabilities: softmax(found.OUTPUT) });
  }
  return results.get(state);
}

const percent = share => (share > 0.9999 ? "over 99.99 %" : share < 0.0001 ? "under 0.01 %" : `${show(100 * share, 2)} %`);

/** A canvas for pointer and keyboard: what is drawn becomes the state's ink. */
const pad = (set, get) => {
  const canvas = h("canvas", { width: SIZE, height: SIZE, "aria-hidden": "true", style: "display: block; width: 100%; height: 100%; image-rendering: pixelated" });
  const cursor = h("span", { hidden: true, style: "position: absolute; pointer-events: none; width: calc(100% / 28); height: calc(100% / 28); box-sizing: content-box; margin: -2px; border: 2px solid #e36b00" });
  const place = h("output", { style: "display: block; min-height: 1.5em; font-size: 0.85rem" });
  const answer = h("strong");
  let [levels, last, row, column, down, waiting] = [decode(""), null, 14, 14, false, 0];
  const paint = () => {
    const image = new ImageData(SIZE, SIZE);
    levels.forEach((level, pixel) => image.data.set([17 * level, 17 * level, 17 * level, 255], 4 * pixel));
    canvas.getContext("2d").putImageData(image, 0, 0);
  };
  const flush = () => {
    cancelAnimationFrame(waiting);
    waiting = 0;
    set({ digit: "own", ink: encode(levels) });
  };
  const draw = (y, x) => {
    const [steps, { pen, erase }] = [last ? Math.ceil(2 * Math.hypot(y - last[0], x - last[1])) || 1 : 1, get()];
    for (let step = 1; step <= steps; step++) {
      const part = (from, to) => from + ((to - from) * step) / steps;
      levels = last ? dab(levels, part(last[0], y), part(last[1], x), pen, erase) : dab(levels, y, x, pen, erase);
    }
    last = [y, x];
    paint();
    waiting ||= requestAnimationFrame(flush);
  };
  const follow = event => {
    const box = canvas.getBoundingClientRect();
    const pixel = (value, length) => (value * SIZE) / length - 0.5;
    draw(pixel(event.clientY - box.top, box.height), pixel(event.clientX - box.left, box.width));
  };
  const tell = () => {
    cursor.hidden = false;
    [cursor.style.top, cursor.style.left] = [`${(100 * row) / SIZE}%`, `${(100 * column) / SIZE}%`];
    place.textContent = `Row ${row}, column ${column}: ink ${17 * levels[SIZE * row + column]}, pen ${down ? "down" : "up"}`;
  };
  const leave = () => {
    [cursor.hidden, down, last, place.textContent] = [true, false, null, ""];
  };
  const keyed = event => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move && ![" ", "Enter"].includes(event.key)) return;
    event.preventDefault();
    if (move) [row, column] = [row + move[0], column + move[1]].map(value => Math.min(SIZE - 1, Math.max(0, value)));
    else down = !down;
    if (down) {
      draw(row, column);
      flush();
    } else last = null;
    tell();
  };
  const board = h("button", {
    type: "button", "data-key": "pad", "aria-label": "Drawing, 28 by 28 pixels. Arrows move the pen, Space puts it down or lifts it.",
    style: "position: relative; display: block; width: 226px; height: 226px; padding: 0; border-radius: 0; overflow: hidden; touch-action: none; cursor: crosshair",
    onkeydown: keyed, onblur: leave,
    onpointerdown(event) {
      leave();
      if (event.isTrusted) board.setPointerCapture(event.pointerId);
      down = true;
      follow(event);
    },
    onpointermove: event => down && cursor.hidden && (event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]).forEach(follow),
    onpointerup: leave,
    onpointercancel: leave,
  }, canvas, cursor);
  const sync = state => {
    const { answers, probabilities } = result(state);
    answer.textContent = `Reads ${answers[0]} (${percent(probabilities[answers[0]])})`;
    if (waiting) return;
    levels = Uint8Array.from(original(state, courseExplorers.data.lenet5), ink => Math.round(ink / 17));
    paint();
  };
  return { node: h("div", { role: "application", "aria-label": "Canvas" }, board, h("div", {}, answer), place), sync };
};

/** Several controls as one, below or beside one another. */
const group = (direction, ...controls) => (set, get) => {
  const made = controls.map(control => control(set, get));
  const style = `display: flex; flex-flow: ${direction} wrap; gap: 0.4rem 1rem; align-items: flex-start`;
  return { node: h("div", { style }, made.map(one => one.node)), sync: state => made.forEach(one => one.sync(state)) };
};

/** Put maps side by side, so many in a row, framed by the brightest. */
function tiled(values, size, across) {
  const brightest = Math.max(...values) || 1;
  const down = values.length / size ** 2 / across;
  return matrix(down * (size + 1) - 1, across * (size + 1) - 1, (row, column) => {
    const [y, x] = [row % (size + 1), column % (size + 1)];
    const map = Math.floor(row / (size + 1)) * across + Math.floor(column / (size + 1));
    return y === size || x === size ? brightest : values[(map * size + y) * size + x];
  });
}

const numbers = (name, values) =>
  picture(matrix(values.length / 12, 12, (row, column) => values[12 * row + column]), { name, high: Math.max(...values) || 1, size: 96 });

function bars(logits, answer) {
  const [low, high] = [Math.min(-10, ...logits), Math.max(10, ...logits)];
  const y = value => 14 + (90 * (high - value)) / (high - low);
  const bar = (logit, digit) => [
    h("rect", { x: 8 + 25 * digit, width: 19, y: y(Math.max(0, logit)), height: Math.abs(y(0) - y(logit)), fill: digit === answer ? "var(--accent)" : "var(--faint)" }),
    h("text", { x: 17.5 + 25 * digit, y: 120, "text-anchor": "middle", style: digit === answer ? "font-weight: 700; fill: var(--ink)" : null }, digit),
  ];
  return h("figure", { class: "chart", style: "flex: 0 1 18rem" },
    h("figcaption", {}, "OUTPUT, 10 logits"),
    h("svg", { viewBox: "0 0 262 126", role: "img", "aria-label": `Logits of 0 to 9: ${Array.from(logits, logit => show(logit, 1)).join(", ")}` },
      h("path", { class: "axis", d: `M4,${y(0)}H258` }), Array.from(logits, bar)));
}

export const explorer = define({
  name: "draw-a-digit",
  title: "Draw a digit",
  state: { digit: "test-18", ink: "", pen: 2, erase: false, spoil: "none", right: 0, prepare: true },
  data: "lenet5",
  tidy(state, record) {
    const digit = record.digits[state.digit] ? state.digit : "own";
    const within = (value, low, high) => Math.min(high, Math.max(low, value));
    return {
      ...state, digit, ink: digit === "own" ? encode(decode(state.ink)) : "", pen: within(Math.round(2 * state.pen) / 2, 1, 4),
      spoil: state.spoil in SPOILS ? state.spoil : "none", right: within(Math.round(state.right), -8, 8),
    };
  },
  controls: [
    pad,
    group("column",
      choice("digit", "Digit", { own: "your drawing", ...Object.fromEntries(Object.entries(DIGITS).map(([key, words]) => [key, `${key.replace("-", " ")}: ${words}`])) }, digit => ({ digit, ink: "" })),
      slider("pen", "Pen", 1, 4, { step: 0.5, text: width => `${width} px` }),
      group("row", button("Clear", () => ({ digit: "own", ink: "" })), toggle("erase", "Rub out")),
      choice("spoil", "Spoil", SPOILS),
      slider("right", "Move right", -8, 8, { text: value => `${show(value)} px` }),
      toggle("prepare", "Prepare as MNIST"),
    ),
  ],
  view(state) {
    const { ink, found, answers } = result(state);
    const maps = (layer, shape, size, across, scale) => {
      const table = tiled(found[layer], size, across);
      return picture(table, { name: `${layer} ${shape}`, high: Math.max(...found[layer]) || 1, size: scale * table[0].length });
    };
    return beside(
      picture(matrix(SIZE, SIZE, (row, column) => ink[SIZE * row + column]), { name: "Input (1, 28, 28)", high: 255, size: 84 }),
      maps("C1", "(6, 28, 28)", 28, 3, 3), maps("S2", "(6, 14, 14)", 14, 3, 3), maps("C3", "(16, 10, 10)", 10, 4, 3), maps("S4", "(16, 5, 5)", 5, 4, 4),
      numbers("C5 (120,)", found.C5), numbers("F6 (84,)", found.F6), bars(found.OUTPUT, answers[0]),
    );
  },
  says(state, record) {
    const { ink, found, answers: [first, second], probabilities } = result(state);
    const answer = `LeNet-5 reads ${first}, with the logit ${show(found.OUTPUT[first], 1)} and the probability ${percent(probabilities[first])}; next comes ${second} with ${percent(probabilities[second])}.`;
    if (!ink.some(value => value > 0)) return `The canvas is empty. ${answer} It has no answer for "no digit".`;
    return state.digit === "own" ? answer : `Its label is ${record.digits[state.digit].label}. ${answer}`;
  },
});
