// X14: which hook runs when, in net = Sequential(fc=Linear, relu=ReLU), and which does not run at all.
import { define, h, beside, choice, grid, largest, player, slider, toggle } from "./kit.js";

const LANES = ["net", "fc", "relu", "weight", "input"];
const CALLS = { call: "net(x)", forward: "net.forward(x)" };
const HOOKS = { plain: "returns nothing", times: "returns 10 * output", twice: "is registered twice", removed: "is removed again", raises: "raises ValueError" };
const WEIGHT = [[1, 2], [-1, 0.5]];
const GETS = {
  "forward pre": "before forward, with (module, args); what it returned would replace the inputs",
  forward: "after forward, with (module, args, output); what it returns replaces the output",
  "backward pre": "before the gradient goes into the module, with (module, grad_output)",
  backward: "after the module's gradients, with (module, grad_input, grad_output)",
  tensor: "when a gradient has arrived, before it is stored, with that gradient; what it returned would replace it",
  stored: "after the gradient was added to .grad, with the tensor",
};

/**
 * Return what runs: [where, kind] in the forward and in the backward pass, and the error that ends it.
 *
 * call: "call" or "forward". hook: what the forward hook of fc does. wrong: the input does not fit.
 * always: forward hooks have always_call. wants: the input requires a gradient. frozen: the weight
 * does not. backward: the backward pass is run.
 */
export function timeline({ call, hook, wrong, always, wants, frozen, backward }) {
  const outer = (...kinds) => (call === "call" ? kinds.map(kind => ["net", kind]) : []); // forward itself runs no hook
  const own = Array(hook === "removed" ? 0 : hook === "twice" ? 2 : 1).fill(["fc", "forward"]);
  const start = [...outer("forward pre"), ["fc", "forward pre"]];
  const failed = (error, ...more) => ({ forward: [...start, ...more, ...(always ? outer("forward") : [])], backward: [], error });
  if (wrong) return failed("RuntimeError", ...(always ? own : []));
  if (hook === "raises") return failed("ValueError", ...own);
  const forward = [...start, ...own, ["relu", "forward pre"], ["relu", "forward"], ...outer("forward")];
  if (!backward) return { forward, backward: [], error: null };
  if (frozen && !wants) return { forward, backward: [], error: "RuntimeError" };
  const leaf = (name, alive) => (alive ? [[name, "tensor"], [name, "stored"]] : []);
  const layers = [["relu", "backward pre"], ["relu", "backward"], ["fc", "backward pre"]];
  const rest = wants // a module's hook waits for the gradient of its input, if there will be one
    ? [...outer("backward pre"), ...layers, ...leaf("weight", !frozen), ["fc", "backward"], ...outer("backward"), ...leaf("input", true)]
    : [...outer("backward pre", "backward"), ...layers, ["fc", "backward"], ...leaf("weight", !frozen)];
  return { forward, backward: rest, error: null };
}

/** Return the output for an input of ones and the gradient of the weight for its sum, null where there is none. */
export function values(state) {
  const { backward, error } = timeline(state);
  const factor = state.hook === "times" ? 10 : 1;
  const sums = WEIGHT.map(row => factor * (row[0] + row[1]));
  const stopped = state.wrong || state.hook === "raises";
  return {
    output: stopped ? null : [sums.map(value => Math.max(0, value))],
    gradient: error || !backward.length || state.frozen ? null : sums.map(value => Array(2).fill(value > 0 ? factor : 0)),
  };
}

function drawn({ forward, backward }, time) {
  const all = [...forward, ...backward];
  const [left, wide, high] = [46, 18, 30];
  const x = place => left + wide * (place + 0.5);
  const y = where => 22 + high * LANES.indexOf(where);
  const colour = kind => (kind.startsWith("forward") ? "var(--accent)" : kind.startsWith("backward") ? "light-dark(#b35900, #ffb066)" : "light-dark(#8a3ea8, #d59bee)");
  const span = ([where, kind], from) => {
    const to = kind.endsWith("pre") ? all.findLastIndex(one => one[0] === where && `${one[1]} pre` === kind) : -1;
    return to > from && h("line", { x1: x(from), x2: x(to), y1: y(where), y2: y(where), style: `stroke: ${colour(kind)}; stroke-width: 5; opacity: 0.4` });
  };
  const mark = ([where, kind], place) => {
    const style = `fill: ${kind.endsWith("pre") ? "var(--cell)" : colour(kind)}; stroke: ${colour(kind)}; stroke-width: 2`;
    const [a, b] = [x(place), y(where)];
    const shape = kind === "stored" ? h("rect", { x: a - 7.5, y: b - 7.5, width: 15, height: 15, style })
      : kind === "tensor" ? h("path", { d: `M${a},${b - 10}L${a + 10},${b}L${a},${b + 10}L${a - 10},${b}Z`, style }) : h("circle", { cx: a, cy: b, r: 8, style });
    return [shape, h("text", { x: a, y: b + 3.5, "text-anchor": "middle", style: `font-size: 9px; fill: ${kind.endsWith("pre") ? "var(--ink)" : "var(--cell)"}` }, place + 1)];
  };
  const border = left + wide * forward.length;
  return h("figure", { class: "chart" },
    h("svg", { viewBox: `0 0 ${left + 17 * wide + 4} 168`, role: "img", "aria-label": `${all.length} hooks: ${all.map(event => event.join(" ")).join(", ")}`, style: "max-width: 560px" },
      LANES.map(name => [h("text", { x: 0, y: y(name) + 4 }, name), h("path", { d: `M${left},${y(name)}h${17 * wide}`, style: "stroke: var(--rule)" })]),
      backward.length > 0 && h("path", { class: "at", d: `M${border},4V156` }),
      h("rect", { x: x(time - 1) - wide / 2, y: 3, width: wide, height: 153, rx: 4, style: "fill: var(--accent); opacity: 0.15" }),
      h("text", { x: (left + border) / 2, y: 167, "text-anchor": "middle" }, "forward"), backward.length > 0 && h("text", { x: border + (wide * backward.length) / 2, y: 167, "text-anchor": "middle" }, "backward"),
      all.map(span), all.map(mark)),
    h("figcaption", {}, "○ before, ● after; ◆ a gradient arrives at a tensor, ■ it is stored. A bar joins before and after."));
}

export const explorer = define({
  name: "hook-timeline",
  title: "Hook timeline",
  state: { call: "call", hook: "plain", always: false, wrong: false, wants: true, frozen: false, backward: true, time: 1 },
  tidy(state) {
    const call = state.call in CALLS ? state.call : "call";
    const hook = state.hook in HOOKS ? state.hook : "plain";
    const { forward, backward } = timeline({ ...state, call, hook });
    return { ...state, call, hook, time: Math.min(forward.length + backward.length, Math.max(1, Math.round(state.time))) };
  },
  controls: [
    choice("call", "Run", CALLS),
    choice("hook", "fc's forward hook", HOOKS),
    toggle("always", "always_call=True"),
    toggle("wrong", "x has 3 features in place of 2"),
    toggle("wants", "x requires a gradient"),
    toggle("frozen", "fc.weight is frozen"),
    toggle("backward", "run backward"),
    slider("time", "Hook", 1, state => timeline(state).forward.length + timeline(state).backward.length),
    player("time", state => timeline(state).forward.length + timeline(state).backward.length, { every: 900 }),
  ],
  view(state) {
    const { output, gradient } = values(state);
    const table = (numbers, name) => (numbers ? grid(numbers, { name, limit: largest(numbers) }) : h("p", { style: "margin: 0; color: var(--faint); font-size: 0.85rem" }, `${name}: none`));
    return [h("div", { style: "margin: 1rem 0 0" }, drawn(timeline(state), state.time)), beside(grid(WEIGHT, { name: "fc.weight", limit: 2 }), table(output, "output"), table(gradient, "fc.weight.grad"))];
  },
  says(state) {
    const { forward, backward, error } = timeline(state);
    const all = [...forward, ...backward];
    const [where, kind] = all[state.time - 1];
    const after = state.wrong && kind === "forward" ? "after the error, because of always_call, with None for the output" : GETS[kind];
    const name = { tensor: `tensor hook of ${where}`, stored: `post-accumulate hook of ${where}` }[kind] ?? `${kind.replace("pre", "pre-hook")}${kind.endsWith("pre") ? "" : " hook"} of ${where}`;
    const ends = {
      RuntimeError: state.wrong ? " In fc, forward fails with a RuntimeError." : " Nothing requires a gradient: backward raises RuntimeError.",
      ValueError: " The hook's ValueError ends the call.",
    }[error] ?? "";
    const missing = LANES.filter(lane => !all.some(event => event[0] === lane));
    return `Hook ${state.time} of ${all.length}: the ${name} runs ${after}.${ends}${missing.length ? ` No hook runs on ${missing.join(", ")}.` : ""}`;
  },
});
