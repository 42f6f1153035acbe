"""X10 against torch.softmax, and against exp and division, in each dtype."""

import torch

from explorers import Case

NUMBERS = {"float64": torch.float64, "float32": torch.float32, "float16": torch.float16}
ONE_STEP = {"float64": 1e-12, "float32": 3e-7, "float16": 1.1e-3}


def cases():
    yield from rounding()
    rng = torch.Generator().manual_seed(10)
    lesson = [1.3863, 0.0, -0.6931]
    settings = [(lesson, 0.0, 1.0), (lesson, 100.0, 1.0), (lesson, 0.0, 0.5), (lesson, 0.0, 4.0)]
    settings += [(lesson, shift, 1.0) for shift in (87.0, 87.25, 87.5, -103, -120, 9.25, 9.5, 9.75)]
    settings += [([0.0] * 3, 88.0, 1.0), ([10.0, 0.0, -10.0], 0.0, 0.1), (lesson, 100.0, 0.1)]
    for _ in range(6):
        logits = (torch.rand(3, generator=rng, dtype=torch.float64) * 20 - 10).tolist()
        shift, tenths = torch.randint(-40, 41, (2,), generator=rng).tolist()
        settings.append((logits, shift / 4, (abs(tenths) + 1) / 10))
    for logits, shift, temperature in settings:
        for dtype in NUMBERS:
            yield from softmax(logits, shift, temperature, dtype)
        truth = torch.tensor(logits, dtype=torch.float64) / temperature
        yield Case("exact", [logits, temperature], torch.softmax(truth, dim=0).tolist())


def rounding():
    """Yield numbers all over float16, halves between two of them, and its ends."""
    rng = torch.Generator().manual_seed(16)
    bits = torch.randint(0, 31744, (400,), generator=rng).to(torch.int16)
    exact = bits.view(torch.float16).double()
    above = (bits + 1).view(torch.float16).double()
    numbers = torch.cat([exact, (exact + above) / 2, exact * 0.7 + above * 0.3])
    ends = [0.0, 65504, 65519, 65520, 65536, 1e30, 2.0**-24, 2.0**-25, 3 * 2.0**-26, 6.1e-5]
    numbers = torch.cat([numbers[numbers.isfinite()], torch.tensor(ends, dtype=torch.float64)])
    numbers = numbers.float().double()  # a float64 goes to float16 by way of float32
    for number in torch.cat([numbers[::9], -numbers[4::9], numbers[-10:]]).tolist():
        yield Case("toFloat16", [number], torch.tensor(number).half().item(), 0.0)


def softmax(logits, shift, temperature, dtype):
    row = torch.tensor(logits, dtype=NUMBERS[dtype])
    x = (row + shift) / temperature
    tolerance = ONE_STEP[dtype]  # torch multiplies by 1 / temperature
    yield Case("exponents", [logits, shift, temperature, dtype], x.tolist(), tolerance)
    found = {}
    for name, exponents in [("asWritten", x), ("shifted", x - x.max())]:
        weights = exponents.exp()
        expected = {"numbers": exponents, "weights": weights, "sum": weights.sum()}
        expected["probabilities"] = weights / weights.sum()
        found[name] = {key: value.tolist() for key, value in expected.items()}
        yield Case(name, [x.tolist(), dtype], found[name], tolerance)
    yield Case("outcome", list(found.values()), outcome(x))


def outcome(x):
    written, safe = x.exp() / x.exp().sum(), torch.softmax(x, dim=0)
    if written.isnan().any():
        return "nan"
    return "fine" if (written - safe).abs().max() <= 0.005 else "lost"
