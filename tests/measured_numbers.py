"""
Numbers that a chapter measures when it runs: nbval runs the chapter and compares its outputs.

The numbers themselves stand nowhere here: they are read from the stored output of a cell, by a
pattern whose groups fill the text.
"""

import re
from dataclasses import dataclass

from sections import cells, sections


@dataclass(frozen=True)
class Measured:
    """What is measured, where it stands, and the pattern that reads it from the cell's output."""

    what: str
    chapter: str
    heading: str
    cell: str
    pattern: str
    text: str = "{}"
    item: int | None = None

    @property
    def shown(self) -> str:
        """Return the numbers as the stored output of the cell has them."""
        source = next((text for name, _, text in cells(self.chapter) if name == self.cell), None)
        if source is None:
            raise ValueError(f"{self.chapter} has no cell {self.cell}; mend measured_numbers.py")
        match = re.search(self.pattern, source)
        if match is None:
            raise ValueError(f"{self.chapter}, cell {self.cell}: no output matches {self.pattern}")
        return self.text.format(*match.groups())

    def stands_in_its_section(self) -> bool:
        """Say whether the cell's output is part of the section that is named."""
        return bool(re.search(self.pattern, sections(self.chapter)[self.heading]))


NORMS = "07_batch_norm_and_dropout"
CASE = "11_case_study"
MNIST = "12_lenet5_on_mnist"
HOOKS = "13_hooks"
GRADIENTS = "14_gradients"
TUNING = "15_fine_tuning"
PERCENT = r"(\d+\.\d) %"

MEASURED = (
    Measured(
        "largest difference between the lesson's three lines and batch normalisation, on 3 × 3",
        NORMS,
        "The lesson's formula, measured",
        "lesson-run",
        r"\nlargest difference (\d\.\de-\d+)",
        item=12,
    ),
    Measured(
        "test accuracy in % after 15 epochs without batch norm, with BN before ReLU, and after",
        NORMS,
        "An experiment with error bars",
        "experiment-table",
        r"\n15 epochs, 0\.1 +([\d.]+ ± +[\d.]+) +([\d.]+ ± +[\d.]+) +([\d.]+ ± +[\d.]+)",
        "{}, {}, {}",
        13,
    ),
    Measured(
        "accuracy of the case study's network over the model seeds 0 to 39",
        CASE,
        "Forty seeds",
        "forty-seeds",
        rf"median {PERCENT}.*\nlowest {PERCENT}, highest {PERCENT}",
        "median {} %, lowest {} %, highest {} %",
        29,
    ),
    Measured(
        "distance between the quartiles of these forty, in points",
        CASE,
        "Forty seeds",
        "binomial",
        r"quartiles of 40 seeds: (\d+\.\d) points",
        item=29,
    ),
    Measured(
        "accuracy on lines that training has not shown, median of five seeds, one filter",
        CASE,
        "An honest split",
        "honest-medians",
        rf"1 filter\(s\).*held out {PERCENT}",
        "{} %",
        26,
    ),
    Measured(
        "seeds of 0 to 39 that end as dead networks",
        CASE,
        "Dead networks",
        "dead-gradient",
        r"exactly zero: \[([\d, ]+)\]",
        item=29,
    ),
    Measured(
        "accuracy at the learning rates 0.001, 0.01, 0.1 and 1",
        CASE,
        "Learning rates",
        "learning-rates",
        r"0\.001: accuracy +([\d.]+) %(?:.*\n)+?.* 0\.01: accuracy +([\d.]+) %(?:.*\n)+?"
        r".* 0\.1: accuracy +([\d.]+) %(?:.*\n)+?.* 1\.0: accuracy +([\d.]+) %",
        "{} %, {} %, {} %, {} %",
        29,
    ),
    Measured(
        "seeds of 12 at 100 % with eight filters",
        CASE,
        "More filters",
        "channels",
        r"8 filter\(s\).*at 100 %: (\d+) of 12",
        item=27,
    ),
    Measured(
        "validation images that reach the classifier as zeros, and their share of the loss",
        CASE,
        "Fifteen errors, five images",
        "blind-loss",
        r"(\d+) validation images are zeros .*\n.*carry (\d+\.\d) %",
        "{} images, {} %",
        30,
    ),
    Measured(
        "precision of the three answers of the case study",
        CASE,
        "The confusion matrix",
        "confusion-matrix",
        r"precision \['(\d+\.\d) %', '(\d+\.\d) %', '(\d+\.\d) %'\]",
        "{} %, {} %, {} %",
        35,
    ),
    Measured(
        "test accuracy of the shipped LeNet-5, and how many of 10,000 digits it gets wrong",
        MNIST,
        "Weights from a longer run",
        "longer-test",
        r"test accuracy (\d+\.\d\d) %, (\d+) wrong",
        "{} %, {}",
        15,
    ),
    Measured(
        "the filter of the case study, and its bias",
        HOOKS,
        "Filters: weights one can look at",
        "filters-values",
        r"\n +(-?\d\.\d\d) +(-?\d\.\d\d) +(-?\d\.\d\d)" * 3 + r"\nbias (-?\d\.\d\d)",
        "[[{}, {}, {}], [{}, {}, {}], [{}, {}, {}]], {}",
        31,
    ),
    Measured(
        "accuracy and loss at the learning rates 0.001, 0.01, 0.1 and 1, seed 13",
        GRADIENTS,
        "Explorer: Gradient dashboard",
        "explorer-five",
        "".join(
            rf"rate +{rate}: accuracy +([\d.]+) %, loss ([\d.]+)\n"
            for rate in ("0.001", "0.01", "0.1", "1")
        ),
        "{} % and {}; {} % and {}; {} % and {}; {} % and {}",
        37,
    ),
    Measured(
        "accuracy on the digits 0 to 4, then on 5 to 9 with all, some and one layer trained",
        TUNING,
        "What was forgotten",
        "forgetting-run",
        r"source +([\d.]+) %(?:.*\n)+?C1 on.*, ([\d.]+) %(?:.*\n)+?C5 on.*, ([\d.]+) %"
        r"(?:.*\n)+?OUTPUT only.*, ([\d.]+) %",
        "{} %; {} %, {} %, {} %",
        38,
    ),
)
