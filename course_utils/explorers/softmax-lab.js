// X10: softmax of three logits, as it is written and with the maximum subtracted, in three kinds of numbers.
import { define, h, bar, beside, choice, show, slider, table } from "./kit.js";

const CLASSES = [0, 1, 2];
const LARGEST = { float64: Number.MAX_VALUE, float32: 3.4028234663852886e38, float16: 65504 };

/** Round to the nearest float16, ties to the even one; what is too large becomes infinite. */
export function toFloat16(value) {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const step = 2 ** (exponent - 10);
  const steps = size / step;
  const floor = Math.floor(steps);
  const up = steps - floor > 0.5 || (steps - floor === 0.5 && floor % 2 === 1);
  const rounded = (floor + up) * step;
  return Math.sign(value) * (rounded > LARGEST.float16 ? Infinity : rounded);
}

const ROUND = { float64: Number, float32: Math.fround, float16: toFloat16 };

/** Return what goes into the exponential: (logits + shift) / temperature, rounded after each step. */
export function exponents(logits, shift, temperature, dtype) {
  const round = ROUND[dtype];
  return logits.map(logit => round(round(round(logit) + shift) / temperature));
}

const quotients = (numbers, round) => {
  const weights = numbers.map(number => round(Math.exp(number)));
  const sum = round(weights.reduce((total, weight) => total + weight, 0));
  return { numbers, weights, sum, probabilities: weights.map(weight => round(weight / sum)) };
};

/** Return exponentials, their sum and the quotients, as the formula is written. */
export const asWritten = (numbers, dtype) => quotients(numbers, ROUND[dtype]);

/** Return the same after the largest number has been subtracted from all. */
export const shifted = (numbers, dtype) => quotients(numbers.map(number => ROUND[dtype](number - Math.max(...numbers))), ROUND[dtype]);

/** Return the probabilities that exact logits have, whatever is added to them. */
export const exact = (logits, temperature) => shifted(logits.map(logit => logit / temperature), "float64").probabilities;

/** Return what became of the formula as written: "nan", "lost" (far from the safe way), or "fine". */
export function outcome(written, safe) {
  if (written.probabilities.some(Number.isNaN)) return "nan";
  return written.probabilities.some((p, at) => Math.abs(p - safe.probabilities[at]) > 0.005) ? "lost" : "fine";
}

const number = value => {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size === 0 || (size >= 0.0001 && size < 100000)) return show(value, size < 100 ? 4 : 2);
  return value.toExponential(2).replace("e+", "e").replace("-", "−");
};
const list = values => `${values.slice(0, 2).map(value => show(value, 4)).join(", ")} and ${show(values[2], 4)}`;

const parts = state => {
  const logits = [state.z0, state.z1, state.z2];
  const numbers = exponents(logits, state.shift, state.temperature, state.dtype);
  return { numbers, written: asWritten(numbers, state.dtype), safe: shifted(numbers, state.dtype), truth: exact(logits, state.temperature) };
};

const steps = ({ numbers, weights, sum, probabilities }, name) => table(["class", "x", "exp(x)", "probability"], [
  ...CLASSES.map(at => [String(at), number(numbers[at]), number(weights[at]), [number(probabilities[at]), bar(probabilities[at], { number: at })]]),
  ["sum", "", number(sum), number(probabilities.reduce((total, p) => total + p, 0))],
], { name });

export const explorer = define({
  name: "softmax-lab",
  title: "Softmax lab",
  state: { z0: 1.3863, z1: 0, z2: -0.6931, shift: 0, temperature: 1, dtype: "float32" },
  tidy(state) {
    const within = (value, low, high) => Math.min(high, Math.max(low, value));
    const [z0, z1, z2] = [state.z0, state.z1, state.z2].map(logit => within(logit, -10, 10));
    return {
      z0, z1, z2, shift: within(state.shift, -120, 120), temperature: within(state.temperature, 0.1, 5),
      dtype: state.dtype in LARGEST ? state.dtype : "float32",
    };
  },
  controls: [
    ...CLASSES.map(at => slider(`z${at}`, `Logit ${at}`, -10, 10, { step: 0.1, text: value => show(value, 4) })),
    slider("shift", "Shift", -120, 120, { step: 0.25, text: value => show(value, 2) }),
    slider("temperature", "Temperature", 0.1, 5, { step: 0.1, text: value => show(value, 2) }),
    choice("dtype", "dtype", { float64: "float64", float32: "float32", float16: "float16" }),
  ],
  view(state) {
    const { written, safe } = parts(state);
    return [
      beside(steps(written, "As written: exp(x) / sum"), steps(safe, "The largest x subtracted first")),
      h("p", { class: "formula" }, `x = (logit + ${show(state.shift)}) / ${show(state.temperature)}, each step rounded to ${state.dtype}, whose largest number is ${number(LARGEST[state.dtype])}.`),
    ];
  },
  says(state) {
    const { numbers, written, safe, truth } = parts(state);
    const error = Math.max(...truth.map((p, at) => Math.abs(p - safe.probabilities[at])));
    const stored = `the rounding of x to ${state.dtype} alone moves a probability by ${number(error)}`;
    const right = `With the largest subtracted the probabilities are ${list(safe.probabilities)}${error > 0.0005 ? `; ${stored}` : ""}.`;
    const happened = outcome(written, safe);
    if (happened === "fine" && error > 0.0005) return `Both ways give ${list(safe.probabilities)}. Exact logits give ${list(truth)}: ${stored}.`;
    if (happened === "fine") return `Both ways give ${list(written.probabilities)}. Class 0 has odds of ${number(Math.exp((state.z0 - state.z1) / state.temperature))} relative to class 1, whatever the shift.`;
    if (happened === "lost" && written.sum === Infinity) return `Every exp(x) is finite, their sum is not. As written the probabilities are ${list(written.probabilities)}, and no nan gives warning. ${right}`;
    if (happened === "lost") return `The exponentials are so small that their digits are lost: as written the probabilities are ${list(written.probabilities)}. ${right}`;
    if (written.sum === 0) return `Every exp(x) is rounded to 0, and 0 / 0 is nan. ${right}`;
    return `exp(${show(Math.max(...numbers), 2)}) is beyond the largest ${state.dtype}, and ∞ / ∞ is nan. ${right}`;
  },
});
