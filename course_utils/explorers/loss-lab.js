// X11: the loss of one image and its gradient in the logits, the right way and three others.
import { define, h, bar, beside, chart, choice, show, slider, table } from "./kit.js";

const CLASSES = [0, 1, 2];
const LOGITS = [[0.7376, 1.9459, -0.6995], [-1.3023, -0.5133, -0.2696], [0.2462, 0.4839, 0.4504], [-0.9568, 1.5012, -0.3136], [-0.2343, -1.0713, 0.1648]];
const LABELS = [0, 0, 1, 2, 1];
const KINDS = {
  cross: "cross_entropy", double: "cross_entropy of softmax", nll: "nll_loss of softmax", squared: "squared error of softmax",
};
const GUESSING = Math.log(3);

const dot = (left, right) => left.reduce((sum, value, at) => sum + value * right[at], 0);

/** Return the logarithms of the softmax, without making the softmax. */
export function logSoftmax(logits) {
  const most = Math.max(...logits);
  const rest = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
  return logits.map(logit => logit - most - rest);
}

/** Return the softmax. */
export const softmax = logits => logSoftmax(logits).map(Math.exp);

/** Return the row that the probabilities should equal; smoothing gives a share of it to all classes alike. */
export const target = (label, smoothing) => CLASSES.map(at => (at === label ? 1 - smoothing : 0) + smoothing / 3);

/** Return the loss of one row of logits. */
export function loss(logits, label, kind, smoothing) {
  const [p, wanted] = [softmax(logits), target(label, smoothing)];
  if (kind === "squared") return dot(p.map((share, at) => (share - wanted[at]) ** 2), [0.5, 0.5, 0.5]);
  if (kind === "nll") return -dot(wanted, p);
  return -dot(wanted, logSoftmax(kind === "double" ? p : logits));
}

/** Return how the loss changes with each logit. */
export function gradient(logits, label, kind, smoothing) {
  const [p, wanted] = [softmax(logits), target(label, smoothing)];
  if (kind === "cross") return p.map((share, at) => share - wanted[at]);
  const inner = { double: softmax(p).map((share, at) => share - wanted[at]), nll: wanted.map(share => -share), squared: p.map((share, at) => share - wanted[at]) }[kind];
  return p.map((share, at) => share * (inner[at] - dot(p, inner)));
}

const current = state => [state.z0, state.z1, state.z2];
const batch = state => LOGITS.map((row, at) => (at === state.image ? [current(state), state.label] : [row, LABELS[at]]));
const losses = state => batch(state).map(([logits, label]) => loss(logits, label, state.kind, state.smoothing));
const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
const rowOf = image => ({ image, z0: LOGITS[image][0], z1: LOGITS[image][1], z2: LOGITS[image][2], label: LABELS[image] });
const digits = value => (value !== 0 && Math.abs(value) < 0.0001 ? value.toExponential(1).replaceAll("-", "−") : show(value, 4));

function curves(state) {
  const along = kind => Array.from({ length: 101 }, (_, step) => -10 + step / 5).map(logit =>
    [logit, loss(current(state).with(state.label, logit), state.label, kind, state.smoothing)]);
  const kinds = [...new Set([state.kind, "cross"])];
  const high = Math.max(4, 1 + Math.ceil(Math.max(...kinds.map(kind => loss(current(state), state.label, kind, state.smoothing)))));
  const series = kinds.map(kind => ({ words: KINDS[kind], points: along(kind).filter(([, value]) => value <= high) }));
  return chart(series, {
    name: `${KINDS[state.kind]} against the logit of the label`, at: current(state)[state.label], width: 340, height: 200,
    x: { words: `logit of class ${state.label}`, low: -10, high: 10 }, y: { words: "loss", low: state.kind === "nll" ? -1 : 0, high },
  });
}

export const explorer = define({
  name: "loss-lab",
  title: "Loss lab",
  state: { ...rowOf(0), kind: "cross", smoothing: 0 },
  tidy(state) {
    const within = (value, low, high) => Math.min(high, Math.max(low, value));
    const [z0, z1, z2] = current(state).map(logit => within(logit, -10, 10));
    return {
      z0, z1, z2, image: within(Math.round(state.image), 0, 4), label: within(Math.round(state.label), 0, 2),
      kind: state.kind in KINDS ? state.kind : "cross", smoothing: within(state.smoothing, 0, 0.6),
    };
  },
  controls: [
    choice("image", "Image", Object.fromEntries(LABELS.map((_, at) => [at, String(at)])), value => rowOf(Number(value))),
    choice("label", "Label", { 0: "0", 1: "1", 2: "2" }, value => ({ label: Number(value) })),
    choice("kind", "Loss", KINDS),
    ...CLASSES.map(at => slider(`z${at}`, `Logit ${at}`, -10, 10, { step: 0.1, text: value => show(value, 4) })),
    slider("smoothing", "Smoothing", 0, 0.6, { step: 0.05, text: value => show(value, 2) }),
  ],
  view(state) {
    const [p, wanted, slope] = [softmax(current(state)), target(state.label, state.smoothing), gradient(current(state), state.label, state.kind, state.smoothing)];
    const all = losses(state);
    const [low, high] = [Math.min(0, ...all), Math.max(GUESSING, ...all)];
    return [
      beside(
        h("div", { style: "flex: 1 1 16rem; max-width: 26rem" },
          table(["class", "p", "target", "gradient"], CLASSES.map(at => [String(at), [digits(p[at]), bar(p[at], { number: at })], digits(wanted[at]), [digits(slope[at]), bar(slope[at], { low: -1, high: 1, number: at })]]), {
            name: `Image ${state.image}`, mark: at => (at === state.label ? "on" : null),
          }),
          h("p", { class: "formula" }, "loss of the image: ", h("strong", {}, digits(all[state.image]))),
          curves(state)),
        table(["image", "label", "loss"], [
          ...batch(state).map(([, label], at) => [String(at), label, [digits(all[at]), bar(all[at], { low, high, number: label })]]),
          ["mean", "", h("strong", {}, digits(mean(all)))],
        ], { name: "The batch", mark: at => (at === state.image ? "on" : null) }),
      ),
    ];
  },
  says(state) {
    const all = losses(state);
    const [own, logits] = [all[state.image], current(state)];
    const batchMean = `the mean of the batch ${digits(mean(all))}`;
    const pull = kind => gradient(logits, state.label, kind, state.smoothing)[state.label];
    const pulled = `The logit of class ${state.label} is pulled ${pull(state.kind) > 0 ? "down" : "up"} with ${digits(Math.abs(pull(state.kind)))}`;
    const instead = `cross_entropy of the logits pulls with ${digits(Math.abs(pull("cross")))}`;
    if (state.kind === "nll") return `The loss is ${digits(own)}, ${batchMean}: below 0, since no logarithm was taken. ${pulled}, and ${instead}.`;
    if (state.kind === "double") {
      const ends = [[1, 0, 0], [0, 1, 0]].map(p => -dot(target(0, state.smoothing), logSoftmax(p)));
      return `The loss is ${digits(own)}, ${batchMean}. Whatever the logits, it stays between ${digits(ends[0])} and ${digits(ends[1])}. ${pulled}; ${instead}.`;
    }
    if (state.kind === "squared") return `The loss is ${digits(own)}, ${batchMean}. ${pulled}; on the same answer ${instead}.`;
    const wanted = target(state.label, state.smoothing);
    const floor = -dot(wanted, wanted.map(share => share && Math.log(share)));
    const least = state.smoothing ? ` With this target no answer costs less than ${digits(floor)}.` : "";
    return `Image ${state.image} costs ${digits(own)} nats or ${digits(own / Math.LN2)} bits, ${own > GUESSING ? "more" : "less"} than guessing (${digits(GUESSING)}), and ${batchMean}. ${pulled}.${least}`;
  },
});
