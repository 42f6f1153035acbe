// X8: which numbers of a batch share a mean, and whose outputs change when one image gets brighter.
import { define, h, beside, choice, grid, largest, matrix, show, slider } from "./kit.js";

const CHANNELS = 4;
const EPS = 1e-5;
const WAYS = {
  batch: "BatchNorm2d", layer: "LayerNorm", instance: "InstanceNorm2d",
  group1: "GroupNorm, 1 group", group2: "GroupNorm, 2 groups", group4: "GroupNorm, 4 groups", whole: "one mean for all",
};
const VALUES = {
  address: (image, channel, pixel) => 100 * image + 10 * channel + pixel,
  digits: (image, channel, pixel) => (17 * image * image + 5 * channel * (image + 1) + 3 * pixel * pixel + 7 * pixel * channel) % 10,
};

const cells = block => block.flatMap((maps, image) => maps.flatMap((map, channel) => map.map((value, pixel) => ({ value, image, channel, pixel }))));

/** Return the batch as [image][channel][pixel]; something may be added to its last image. */
export const makeBlock = (values, images, size, added) => Array.from({ length: images }, (_, image) =>
  matrix(CHANNELS, size * size, (channel, pixel) => VALUES[values](image, channel, pixel) + (image === images - 1 ? added : 0)));

/** Return the number of the group that a channel of an image belongs to. */
export function groupOf(way, image, channel) {
  const groups = { whole: 0, batch: channel, layer: image, instance: image * CHANNELS + channel };
  if (way in groups) return groups[way];
  const count = Number(way.slice(5));
  return image * count + Math.floor(channel / (CHANNELS / count));
}

/** Return mean, variance and size of every group. */
export function statistics(block, way) {
  const groups = [];
  for (const { value, image, channel } of cells(block)) (groups[groupOf(way, image, channel)] ??= []).push(value);
  return groups.map(values => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length, count: values.length };
  });
}

/** Return the batch with every number measured against its group. */
export function normalise(block, way) {
  const all = statistics(block, way);
  return block.map((maps, image) => maps.map((map, channel) => {
    const { mean, variance } = all[groupOf(way, image, channel)];
    return map.map(value => (value - mean) / Math.sqrt(variance + EPS));
  }));
}

/** Whether PyTorch refuses, since a group has a single number; GroupNorm does so for one image only. */
export const refused = (way, images, size) => size === 1 && (way === "instance" || (["batch", "group4"].includes(way) && images === 1));

/** Return the images of which an output changes when the last one gets brighter. */
export function changed(values, images, size, added, way) {
  const [before, after] = [0, added].map(amount => normalise(makeBlock(values, images, size, amount), way));
  return before.flatMap((maps, image) => (maps.some((map, channel) => map.some((value, pixel) => Math.abs(value - after[image][channel][pixel]) > 1e-6)) ? [image] : []));
}

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

export const explorer = define({
  name: "who-shares-a-mean",
  title: "Who shares a mean?",
  state: { way: "batch", values: "address", images: 3, size: 2, added: 0, image: 1, channel: 2, pixel: 0 },
  tidy(state) {
    const within = (value, low, high) => Math.min(high, Math.max(low, Math.round(value)));
    const [images, size] = [within(state.images, 1, 3), within(state.size, 1, 2)];
    return {
      way: Object.hasOwn(WAYS, state.way) ? state.way : "batch", values: Object.hasOwn(VALUES, state.values) ? state.values : "address",
      images, size, added: within(state.added, 0, 200),
      image: within(state.image, 0, images - 1), channel: within(state.channel, 0, CHANNELS - 1), pixel: within(state.pixel, 0, size * size - 1),
    };
  },
  controls: [
    choice("way", "Layer", WAYS),
    choice("values", "Numbers", { address: "addresses", digits: "digits" }),
    slider("images", "Images", 1, 3, { text: value => show(value) }),
    slider("size", "Height, width", 1, 2, { text: value => show(value) }),
    slider("added", "Added to last image", 0, 200, { step: 10, text: value => show(value) }),
  ],
  view(state, set) {
    const block = makeBlock(state.values, state.images, state.size, state.added);
    const own = groupOf(state.way, state.image, state.channel);
    const mark = image => (pixel, channel) =>
      (image === state.image && channel === state.channel && pixel === state.pixel ? "on" : groupOf(state.way, image, channel) === own ? "in" : "");
    const rows = maps => matrix(state.size ** 2, CHANNELS, (pixel, channel) => maps[channel][pixel]);
    const outputs = normalise(block, state.way);
    const limit = largest(outputs.flat());
    const all = statistics(block, state.way);
    const input = (maps, image) => grid(rows(maps), {
      name: `Image ${image}`, text: value => show(value), mark: mark(image), pick: (pixel, channel) => set({ image, channel, pixel }),
      at: image === state.image ? [state.pixel, state.channel] : undefined,
    });
    const output = (maps, image) => grid(rows(maps), {
      name: `Output ${image}`, limit, text: value => `\u2009${show(value, 2)}\u2009`, mark: (pixel, channel) => (mark(image)(pixel, channel) === "on" ? "on" : ""),
    });
    const shown = refused(state.way, state.images, state.size) ? [] : outputs;
    return [
      beside(block.map((maps, image) => h("div", {}, input(maps, image), shown[image] && h("div", { style: "margin-top: 0.5rem" }, output(shown[image], image))))),
      h("p", { class: "formula" }, "A column is a channel, a row a pixel. ", h("strong", {}, plural(all.length, "mean")), ` of ${plural(all[0].count, "number")}${all.length > 1 ? " each" : ""}: ${all.map(({ mean }) => show(mean, 2)).join(", ")}.`),
    ];
  },
  says(state) {
    const block = makeBlock(state.values, state.images, state.size, state.added);
    const value = block[state.image][state.channel][state.pixel];
    const { mean, variance, count } = statistics(block, state.way)[groupOf(state.way, state.image, state.channel)];
    if (refused(state.way, state.images, state.size)) return `${WAYS[state.way]} raises a ValueError${state.way === "batch" ? " in training" : ""}: a group of one number is its own mean, and has no variance to divide by.`;
    const output = normalise(block, state.way)[state.image][state.channel][state.pixel];
    const shared = `${show(value)} shares its mean ${show(mean, 2)} with ${plural(count - 1, "other number")}: (${show(value)} − ${show(mean, 2)}) / √(${show(variance, 2)} + eps) = ${show(output, 2)}.${count === 1 ? " A group of one number gives 0, whatever the number." : ""}`;
    if (!state.added) return shared;
    const moved = changed(state.values, state.images, state.size, state.added, state.way);
    const last = `The ${state.added} added to image ${state.images - 1}`;
    if (!moved.length) return `${shared} ${last} changes no output at all: it is subtracted with the mean.`;
    const others = moved.filter(image => image !== state.images - 1);
    return `${shared} ${last} changes ${others.length ? `the outputs of ${plural(others.length, "other image")} too` : "its own outputs only"}.`;
  },
});
