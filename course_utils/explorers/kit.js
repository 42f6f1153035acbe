// What every explorer is made of: a state, controls that change it, a view of it, and a sentence.
//
// A module is written as an ES module and served as a classic script (see __init__.py), because a
// browser loads no module from a file. So imports come from "./kit.js" only, one statement a line,
// and exports stand before function or const.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "path", "line", "rect", "circle", "polyline", "text", "title"]);

/** Return an element: attributes by name, "on..." as listeners, nothing for null and false. */
export function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Write a number with at most so many decimals and a true minus sign. */
export function show(value, decimals = 3) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const rounded = Number(value.toFixed(decimals));
  return String(rounded === 0 ? 0 : rounded).replace("-", "−");
}

/** Return rows of so many numbers each, made by f(row, column). */
export const matrix = (rows, columns, f) =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => f(row, column)));

/** Return the largest size of the numbers in a table, 1 if all are 0. */
export const largest = values => Math.max(...values.flat().map(Math.abs)) || 1;

/** Return a line of chapter 11, 10 x 10 pixels of -1 and 1: label 0 along an axis, 1 rising, 2 falling; start -9 to 9. */
export function line(label, start) {
  if (label === 0) return matrix(10, 10, (row, column) => ((start > 0 ? row === start : column === -start) ? 1 : -1));
  const left = start > 0 ? 0 : Math.max(1, -start); // for diagonals column 0 counts as 1
  const top = start > 0 ? start : label === 1 ? 9 : 0;
  return matrix(10, 10, (row, column) => (column >= left && row - top === (label === 1 ? left - column : column - left) ? 1 : -1));
}

// --- controls: each has a node, and brings it in line with the state ---------------------------

/** A number between two bounds; either may depend on the state. */
export function slider(key, label, low, high, { step = 1, text = value => show(value) } = {}) {
  return set => {
    const at = (bound, state) => (typeof bound === "function" ? bound(state) : bound);
    const input = h("input", { type: "range", step, "data-key": key, oninput: () => set({ [key]: Number(input.value) }) });
    const output = h("output");
    const sync = state => {
      [input.min, input.max] = [at(low, state), at(high, state)];
      input.value = state[key];
      output.textContent = text(state[key], state);
      input.setAttribute("aria-valuetext", output.textContent);
    };
    return { node: h("label", { class: "slider" }, h("span", {}, label), input, output), sync };
  };
}

/** Yes or no. */
export function toggle(key, label) {
  return set => {
    const input = h("input", { type: "checkbox", "data-key": key, onchange: () => set({ [key]: input.checked }) });
    return { node: h("label", { class: "toggle" }, input, h("span", {}, label)), sync: state => (input.checked = state[key]) };
  };
}

/** One of a few: options maps each value to its words. */
export function choice(key, label, options, change = value => ({ [key]: value })) {
  return set => {
    const select = h("select", { "data-key": key, onchange: () => set(change(select.value)) },
      Object.entries(options).map(([value, words]) => h("option", { value }, words)));
    return { node: h("label", { class: "choice" }, h("span", {}, label), select), sync: state => (select.value = state[key]) };
  };
}

/** A button; change maps the state to what it sets; without a change it cannot be pressed. */
export function button(label, change) {
  return (set, get) => {
    const node = h("button", { type: "button", "data-key": label, onclick: () => set(change(get())) }, label);
    return { node, sync: state => (node.disabled = change(state) === null) };
  };
}

/** Steps through a whole number up to a bound, by itself or one at a time. */
export function player(key, high, { every = 500, back = "Back", forward = "Step" } = {}) {
  return (set, get) => {
    const end = state => (typeof high === "function" ? high(state) : high);
    let timer = null;
    const stop = () => { clearInterval(timer); timer = null; sync(get()); };
    const go = by => set({ [key]: Math.min(end(get()), Math.max(0, get()[key] + by)) });
    const press = (label, f) => h("button", { type: "button", "data-key": label, onclick: f }, label);
    const buttons = [press(back, () => { stop(); go(-1); }), press(forward, () => { stop(); go(1); })];
    const playing = press("Play", () => {
      if (timer) return stop();
      if (get()[key] >= end(get())) set({ [key]: 0 });
      timer = setInterval(() => (node.isConnected && get()[key] < end(get()) ? go(1) : stop()), every);
      sync(get());
    });
    const node = h("span", { class: "player" }, buttons[0], playing, buttons[1]);
    const sync = state => {
      playing.textContent = timer ? "Pause" : "Play";
      buttons[0].disabled = state[key] <= 0;
      buttons[1].disabled = state[key] >= end(state);
    };
    return { node, sync };
  };
}

// --- views ------------------------------------------------------------------------------------

/** Return the style of a cell: blue below 0, orange above, stronger the further away. */
export function tint(value, limit) {
  const share = Math.min(1, Math.abs(value) / limit) * 55;
  return `--tint: color-mix(in oklab, var(--${value < 0 ? "below" : "above"}) ${share.toFixed(1)}%, var(--cell))`;
}

/**
 * Return a table of numbers.
 *
 * name: what it is, for the caption. limit: the size that has the full colour, none if left out.
 * text(value, row, column): what a cell says. mark(row, column): classes of a cell, such as "in",
 * "on" or "off". pick(row, column): called when a cell is chosen, by pointer or by Enter; arrows
 * move between the cells. at: [row, column] of the cell that is chosen. hover: whether the mouse
 * chooses what it is over.
 */
export function grid(values, { name, limit, text = value => show(value, 2), mark, pick, at, hover = false }) {
  const key = (row, column) => `${name} ${row} ${column}`;
  const inside = (value, row, column) => {
    if (!pick) return text(value, row, column);
    const chosen = Boolean(at && at[0] === row && at[1] === column);
    const reachable = at ? chosen : row === 0 && column === 0;
    return h("button", {
      type: "button", "data-key": key(row, column), tabindex: reachable ? 0 : -1, "aria-pressed": String(chosen),
      "aria-label": `${name}, row ${row}, column ${column}: ${text(value, row, column)}`,
      onclick: () => pick(row, column),
      onpointermove: event => hover && !chosen && event.pointerType === "mouse" && pick(row, column),
    }, text(value, row, column));
  };
  const cell = (value, row, column) =>
    h("td", { class: mark ? mark(row, column) : null, style: limit ? tint(value, limit) : null }, inside(value, row, column));
  const table = h("table", { class: "grid" }, h("caption", {}, name),
    h("tbody", {}, values.map((cells, row) => h("tr", {}, cells.map((value, column) => cell(value, row, column))))));
  if (pick) table.addEventListener("keydown", event => moveInside(event, table));
  return table;
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function moveInside(event, table) {
  const step = ARROWS[event.key];
  if (!step) return;
  const cell = event.target.closest("td");
  const row = table.tBodies[0].rows[cell.parentElement.rowIndex + step[0]];
  const next = row?.cells[cell.cellIndex + step[1]]?.querySelector("button");
  event.preventDefault();
  next?.focus();
}

/** Return a table of numbers that can be written over; change(row, column, value). */
export function editable(values, { name, limit, change, decimals = 3 }) {
  const field = (value, row, column) => h("input", {
    type: "number", step: "any", value: Number(value.toFixed(decimals)), "data-key": `${name} ${row} ${column}`,
    "aria-label": `${name}, row ${row}, column ${column}`,
    onchange: event => Number.isFinite(event.target.valueAsNumber) && change(row, column, event.target.valueAsNumber),
  });
  return h("table", { class: "grid editable" }, h("caption", {}, name), h("tbody", {},
    values.map((cells, row) => h("tr", {}, cells.map((value, column) =>
      h("td", { style: limit ? tint(value, limit) : null }, field(value, row, column)))))));
}

/** Return a picture of numbers: grey from low to high, or blue and orange around 0 if signed. */
export function picture(values, { name, low = 0, high = 1, signed = false, size = 160 }) {
  const [height, width] = [values.length, values[0].length];
  const canvas = h("canvas", { width, height, role: "img", "aria-label": name, style: `width: ${size}px` });
  const image = new ImageData(width, height);
  values.flat().forEach((value, at) => image.data.set([...(signed ? diverging(value / high) : grey((value - low) / (high - low))), 255], 4 * at));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return h("figure", { class: "picture" }, canvas, h("figcaption", {}, name));
}

const grey = share => Array(3).fill(Math.round(255 * Math.min(1, Math.max(0, share))));

function diverging(share) {
  const part = Math.min(1, Math.abs(share) || 0);
  const full = share < 0 ? [33, 102, 172] : [200, 90, 10];
  return full.map(value => Math.round(245 + (value - 245) * part));
}

/**
 * Return a chart of lines.
 *
 * series: {words, points: [[x, y], ...]} each. x, y: {words, low, high}, and log for a logarithmic
 * axis. at: an x that is marked.
 */
export function chart(series, { name, x, y, at = null, width = 360, height = 200 }) {
  const box = { left: 48, right: 12, top: 10, bottom: 34 };
  const along = (axis, from, to) => value => {
    const scale = axis.log ? Math.log10 : Number;
    return from + (to - from) * (scale(value) - scale(axis.low)) / (scale(axis.high) - scale(axis.low));
  };
  const px = along(x, box.left, width - box.right);
  const py = along(y, height - box.bottom, box.top);
  const clip = value => Math.min(y.high, Math.max(y.low, value));
  const line = (one, number) => h("polyline", { class: `series series-${number}`, points: one.points.map(([a, b]) => `${px(a).toFixed(1)},${py(clip(b)).toFixed(1)}`).join(" ") });
  const words = (text, at_x, at_y, anchor) => h("text", { x: at_x, y: at_y, "text-anchor": anchor }, text);
  const svg = h("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name, style: `max-width: ${width * 1.3}px` },
    h("path", { class: "axis", d: `M${box.left},${box.top}V${height - box.bottom}H${width - box.right}` }),
    words(show(y.high, 4), box.left - 4, box.top + 8, "end"), words(show(y.low, 4), box.left - 4, height - box.bottom, "end"),
    words(show(x.low, 4), box.left, height - box.bottom + 14, "middle"), words(show(x.high, 4), width - box.right, height - box.bottom + 14, "end"),
    words(x.words, (box.left + width) / 2, height - 4, "middle"), words(y.words, 4, height / 2, "start"),
    at === null ? null : h("line", { class: "at", x1: px(at), x2: px(at), y1: box.top, y2: height - box.bottom }),
    series.map(line));
  const legend = series.length > 1 && h("ul", { class: "legend" }, series.map((one, number) => h("li", { class: `series-${number}` }, one.words)));
  return h("figure", { class: "chart" }, svg, h("figcaption", {}, name), legend);
}

/**
 * Return a table with names: head names the columns, the first of which holds the names of the rows.
 *
 * rows: a list of cells each, texts or nodes. mark(row): a class of the row, such as "on" or "off".
 */
export function table(head, rows, { name, mark = () => null }) {
  const cells = (cell, at) => h(at ? "td" : "th", at ? {} : { scope: "row" }, cell);
  return h("table", { class: "named" }, h("caption", {}, name),
    h("thead", {}, h("tr", {}, head.map(words => h("th", { scope: "col" }, words)))),
    h("tbody", {}, rows.map((row, at) => h("tr", { class: mark(at) }, row.map(cells)))));
}

/** Return a bar from 0 to a value, in the colour of a series; nothing is drawn for nan. */
export function bar(value, { low = 0, high = 1, number = 0 } = {}) {
  const place = x => 100 * (Math.min(high, Math.max(low, x)) - low) / (high - low);
  const [from, to] = Number.isNaN(value) ? [place(0), place(0)] : [place(Math.min(0, value)), place(Math.max(0, value))];
  return h("span", { class: `bar series-${number}`, "aria-hidden": "true" },
    h("span", { style: `left: ${from.toFixed(2)}%; width: ${(to - from).toFixed(2)}%` }),
    low < 0 && h("i", { style: `left: ${place(0).toFixed(2)}%` }));
}

/** Return things side by side, as far as there is room. */
export const beside = (...parts) => h("div", { class: "beside" }, ...parts);

// --- the explorer -----------------------------------------------------------------------------

/**
 * Return an explorer.
 *
 * name: as in the file and the link. title: what it is called. state: what it starts with; numbers,
 * texts, booleans and tables of numbers. controls: made by the functions above. view(state, set):
 * nodes. says(state): what is shown, in a sentence or two. tidy(state): the state with everything
 * within bounds, if one part depends on another. data: the name of recorded numbers; then view,
 * says and tidy get them as their last argument.
 */
export function define(definition) {
  return { ...definition, mount: (root, start = {}) => mount(definition, root, start) };
}

function mount({ name, title, state: defaults, controls, view, says, tidy = state => state, data }, root, start) {
  const recorded = data && courseExplorers.data[data];
  const first = tidy({ ...defaults, ...start }, recorded);
  let state = tidy({ ...first, ...fromLink(name, defaults) }, recorded);
  const get = () => state;
  const set = changes => {
    if (changes === null) return;
    state = tidy({ ...state, ...changes }, recorded);
    render();
  };
  const made = controls.map(control => control(set, get));
  const figure = h("div", { class: "view" });
  const sentence = h("p", { class: "says", role: "status" });
  const link = h("a", { "data-key": "link" }, "Link to this state");
  const reset = h("button", { type: "button", "data-key": "reset", onclick: () => set(first) }, "Reset");
  const render = () => {
    const key = root.contains(document.activeElement) && document.activeElement.dataset.key;
    for (const control of made) control.sync(state);
    figure.replaceChildren(...[view(state, set, recorded)].flat(Infinity).filter(Boolean));
    sentence.textContent = says(state, recorded);
    link.href = toLink(name, state, defaults);
    if (key && !root.contains(document.activeElement)) root.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  };
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", title);
  root.replaceChildren(h("div", { class: "controls" }, made.map(control => control.node)), figure, sentence, h("div", { class: "end" }, reset, link));
  root.classList.add("live");
  render();
  addEventListener("hashchange", () => {
    const linked = fromLink(name, defaults);
    if (linked) set({ ...first, ...linked });
  });
}

/** Write a state as a link: what differs from the defaults. */
export function toLink(name, state, defaults) {
  const changed = Object.entries(defaults).filter(([key, value]) => JSON.stringify(state[key]) !== JSON.stringify(value));
  const pairs = changed.map(([key]) => [key, typeof state[key] === "string" ? state[key] : JSON.stringify(state[key])]);
  return `#${name}?${new URLSearchParams(pairs)}`;
}

/** Read the state of an explorer from the page's address, or null if it names another one. */
export function fromLink(name, defaults, hash = location.hash) {
  const [target, query = ""] = hash.slice(1).split("?");
  if (target !== name) return null;
  const state = {};
  for (const [key, text] of new URLSearchParams(query)) {
    if (!(key in defaults)) continue;
    const value = typeof defaults[key] === "string" ? text : parsed(text);
    if (sameForm(value, defaults[key])) state[key] = value;
  }
  return state;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whether a value from a link can stand for a default: of its kind, of its shape, finite. */
function sameForm(value, model) {
  if (Array.isArray(model))
    return Array.isArray(value) && value.length === model.length && model.every((part, at) => sameForm(value[at], part));
  return typeof value === typeof model && (typeof value !== "number" || Number.isFinite(value));
}

/** Bring every explorer of a page to life that is not alive yet; load recorded numbers where needed. */
export function wake(folder = "") {
  for (const root of document.querySelectorAll("[data-explorer]:not(.live)")) {
    const explorer = courseExplorers[root.dataset.explorer]?.explorer;
    if (!explorer) continue;
    const start = () => explorer.mount(root, JSON.parse(root.dataset.state || "{}"));
    root.id = explorer.name;
    if (!explorer.data || courseExplorers.data?.[explorer.data]) start();
    else whenSeen(root, () => document.head.append(h("script", { src: `${folder}data-${explorer.data}.js`, onload: start })));
  }
  const target = location.hash.slice(1).split("?")[0];
  if (location.hash.includes("?")) document.getElementById(target)?.scrollIntoView();
}

function whenSeen(element, f) {
  const watch = new IntersectionObserver(entries => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    watch.disconnect();
    f();
  }, { rootMargin: "400px" });
  watch.observe(element);
}
