"""Values come back from bytes as they were, and hostile bytes end in one kind of error."""

import json
import struct
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.checks.exercise import Case
from course_utils.checks.outcomes import Failure, Foreign, Outcome, plain
from course_utils.grading.wire import DTYPES, HEAD, MOST_JSON, WireError, pack, unpack

SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NESTED = st.recursive(
    SIMPLE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(one, other):
    if isinstance(one, torch.Tensor):
        equal = torch.equal(one.nan_to_num(7.0), other.nan_to_num(7.0))
        return one.dtype == other.dtype and one.shape == other.shape and equal
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return type(one) is type(other) and all(map(same, one, other)) and len(one) == len(other)
    if isinstance(one, str):
        return one.encode("utf-8", "backslashreplace").decode() == other
    return type(one) is type(other) and (one == other or one != one)


@given(NESTED)
def test_plain_data_comes_back(value):
    assert same(value, unpack(pack(value)))


@pytest.mark.parametrize("dtype", [torch.uint16, torch.float8_e5m2, torch.bits8], ids=str)
def test_a_tensor_that_cannot_be_sent_is_no_plain_value(dtype):
    with pytest.raises(KeyError, match=str(dtype)):
        pack(torch.empty(2, dtype=dtype))
    assert unpack(pack(plain(torch.empty(2, dtype=dtype)))) == Foreign(
        "Tensor", f" of the rare dtype {dtype}"
    )


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (3,), (2, 3, 4)])
def test_tensors_of_every_dtype_and_shape_come_back(dtype, shape):
    tensor = (10 * torch.randn(shape, dtype=torch.float64)).to(dtype)

    back = unpack(pack(tensor))

    assert same(tensor.to(torch.complex128), back.to(torch.complex128))
    assert back.dtype == dtype


@pytest.mark.parametrize(
    "strided",
    [
        torch.arange(12.0).reshape(3, 4).t(),
        torch.arange(12.0)[::3],
        torch.arange(24.0).reshape(2, 3, 4)[:, 1:, ::2],
        torch.ones(1).expand(4, 3),
        torch.arange(6.0).as_strided((2, 2), (1, 2), 1),
        torch.randn(3, dtype=torch.complex64).conj(),
    ],
)
def test_strides_come_back(strided):
    back = unpack(pack(strided))

    assert torch.equal(back, strided)
    assert strided.is_conj() or back.stride() == strided.stride()


def test_what_grading_sends_comes_back():
    case = Case("sizes", (torch.ones(2), (1, None)), {"stride": 2}, "too large", "KeyError")
    values = [
        Foreign("Tensor", " of 3 numbers"),
        Failure(("ValueError", "Exception"), "no", "return x"),
        Outcome((1, 2.5), "printed", "x"),
        torch.float64,
        b"\0\xff",
        np.arange(6, dtype=np.int16).reshape(2, 3),
    ]

    back = unpack(pack([case, *values]))

    assert (back[0].group, back[0].kwargs, back[0].refusal) == ("sizes", {"stride": 2}, "too large")
    assert back[0].error == "KeyError"
    assert back[1:6] == values[:5]
    assert back[6].dtype == np.int16
    assert np.array_equal(back[6], values[5])


@pytest.mark.parametrize("value", [object(), {1, 2}, lambda: 1, np.array(["text"]), 1j])
def test_what_is_no_plain_data_is_not_sent_as_such(value):
    with pytest.raises((TypeError, WireError)):
        unpack(pack(value))


def frame(tree, *buffers):
    text = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    sizes = struct.pack(f">{len(buffers)}I", *map(len, buffers))
    return HEAD.pack(len(text), len(buffers)) + sizes + text + b"".join(buffers)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        HEAD.pack(2**31, 2**31),
        HEAD.pack(4, 0) + b"nul",
        frame(b"[" * 100_000),
        frame(b"1" * 5000),
        frame(["tensor", "float32", [2], None, 0], b"\0" * 7),
        frame(["tensor", "float32", [10**9, 10**9], None, 0], b"\0" * 8),
        frame(["tensor", "float32", [-1], None, 0], b"\0" * 8),
        frame(["tensor", "float32", [2], [0, 10**9], 0], b"\0" * 8),
        frame(["tensor", "float32", [2], [-4, 1], 0], b"\0" * 8),
        frame(["tensor", "float32", [1] * 60, None, 0], b"\0" * 4),
        frame(["tensor", "qint8", [1], None, 0], b"\0"),
        frame(["tensor", "float32", [2], None, 5], b"\0" * 8),
        frame(["array", "|O", [1], 0], b"\0" * 8),
        frame(["array", "<U2", [1], 0], b"\0" * 8),
        frame(["dict", [[["list", []], 1]]]),
        frame(["failure", [], "", ""]),
        frame(["failure", [1], "", ""]),
        frame(["outcome", 1, 2, 3]),
        frame(["os.system", "true"]),
        frame([]),
        frame([["list"]]),
        frame(1) + b"more",
        frame({"a": 1}),
        frame(["tuple", [{"a": 1}]]),
        frame(["tensor", "float32", [7] * 20, [0] * 21, 0], b"\0" * 4),
        frame(["array", "<f4", [10**9, 0, 10**9], 0]),
        frame(b"[" + b"[]," * (MOST_JSON // 3) + b"1]"),
    ],
)
def test_hostile_bytes_are_no_frame(content):
    with pytest.raises(WireError):
        unpack(content)


@given(st.binary(max_size=200))
def test_any_bytes_give_plain_data_or_an_error(content):
    try:
        value = unpack(content)
    except WireError:
        return
    assert plain(value) == value or value != value


@given(NESTED, st.data())
def test_a_damaged_frame_gives_plain_data_or_an_error(value, data):
    content = bytearray(pack(value))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    with suppress(WireError):
        unpack(bytes(content))


def test_texts_about_an_answer_are_cut_and_can_be_printed():
    failure = unpack(frame(["failure", ["A\x1b"] * 1000, "\ud800\0" * 10_000, "\x1b[31m" * 10_000]))

    assert len(failure.type_names) <= 20
    for text in (*failure.type_names, failure.message, failure.line):
        assert text.isprintable()
        assert len(text) < 5000


def test_a_text_has_no_halves_of_characters():
    assert unpack(frame(["tuple", ["\ud800"]])) == ("\\ud800",)


def test_a_trusted_frame_may_have_more_text():
    cells = ["x" * MOST_JSON]

    assert unpack(pack(cells), most_json=2 * MOST_JSON) == cells
    with pytest.raises(WireError, match="too much text"):
        unpack(pack(cells))
