// X12: four runs that differ in nothing but the seed of the initial weights, epoch by epoch.
import { define, h, beside, chart, choice, grid, line, matrix, picture, player, show, slider } from "./kit.js";

const SEEDS = ["13", "32", "42", "1"];
const KINDS = ["straight", "rising", "falling"];

/** Return the line of a label and a start, as chapter 11 draws it. */
export const pixels = (label, start) => line(label, start);

/** Return what relu1 lets through of the filter's responses to an image. */
export const relu1 = (image, kernel, bias) =>
  matrix(image.length - 2, image[0].length - 2, (row, column) =>
    Math.max(0, kernel.flat().reduce((sum, weight, k) => sum + weight * image[row + Math.floor(k / 3)][column + (k % 3)], bias)));

/** Return for each class how many are right and how many there are, from counts by label and answer. */
export const correct = counts => counts.map((row, label) => [row[label], row.reduce((sum, count) => sum + count, 0)]);

/** Return the share of right answers in percent. */
export function accuracy(counts) {
  const [right, all] = correct(counts).reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
  return (100 * right) / all;
}

/** Return the epoch after which no response is above 0 again, or null if the network is alive at the end. */
export function death(peaks) {
  const alive = peaks.findLastIndex(peak => peak > 0);
  return alive === peaks.length - 1 ? null : alive + 1;
}

const runs = (frames, f) => SEEDS.map(seed => ({ words: `seed ${seed}`, points: frames[seed].map((frame, epoch) => [epoch, f(frame)]) }));
const answer = (frame, label, start) => Number(frame.answers[19 * label + start + 9]);

export const explorer = define({
  name: "training-replay",
  title: "Training replay",
  state: { seed: "13", epoch: 20, start: 5 },
  data: "training-replay",
  tidy(state) {
    const within = (value, low, high) => Math.min(high, Math.max(low, Math.round(value)));
    return { seed: SEEDS.includes(state.seed) ? state.seed : "13", epoch: within(state.epoch, 0, 20), start: within(state.start, -9, 9) };
  },
  controls: [
    choice("seed", "Seed", { 13: "13, the lesson's", 32: "32", 42: "42", 1: "1" }),
    slider("epoch", "Epochs", 0, 20),
    player("epoch", 20, { every: 700 }),
    slider("start", "Lines start at", -9, 9, { text: start => (start > 0 ? `row ${start}` : `column ${show(-start)}`) }),
  ],
  view({ seed, epoch, start }, set, frames) {
    const frame = frames[seed][epoch];
    const x = { words: "epoch", low: 0, high: 20 };
    const along = (name, words, high, f) => h("div", { style: "flex: 1 1 16rem" }, chart(runs(frames, f), { name, x, y: { words, low: 0, high }, at: epoch, width: 330, height: 170 }));
    const largest = Math.max(...frames[seed].map(one => Math.max(...one.kernel.flat().map(Math.abs))));
    const maps = KINDS.map((_, label) => relu1(line(label, start), frame.kernel, frame.bias));
    const high = Math.max(...maps.flat(2)) || 1;
    return [
      beside(along("Validation loss", "loss", 1.2, one => one.loss), along("Right answers in %", "%", 100, one => accuracy(one.counts))),
      beside(
        grid(frame.kernel, { name: `Filter, bias ${show(frame.bias, 2)}`, limit: largest }),
        grid(frame.counts, { name: "Labels down, answers across", text: count => show(count), limit: 100, mark: (row, column) => (row === column ? "on" : "") }),
      ),
      beside(
        KINDS.map((kind, label) => {
          const given = answer(frame, label, start);
          return h("div", { style: "display: flex; gap: 0.3rem" },
            picture(line(label, start), { name: `${label}, ${kind}`, low: -1, size: 90 }),
            picture(maps[label], { name: `relu1, answer ${given}${given === label ? "" : " ✗"}`, high, size: 90 }));
        }),
      ),
    ];
  },
  says({ seed, epoch }, frames) {
    const frame = frames[seed][epoch];
    const right = correct(frame.counts).map(pair => pair.join(" of "));
    const dead = death(frames[seed].map(one => one.peak));
    const first = `Seed ${seed} after ${epoch} epochs: validation loss ${show(frame.loss, 2)}, accuracy ${show(accuracy(frame.counts), 1)} % (by class ${right.join(", ")}).`;
    if (dead === null || epoch < dead) return `${first} The filter's largest response to any line is ${show(frame.peak, 2)}.`;
    return `${first} No response is above 0 ${dead ? `since epoch ${dead}` : "from the start"}, the largest is ${show(frame.peak, 2)}: ReLU lets nothing through, the filter's gradient is 0, and it never moves again.`;
  },
});
