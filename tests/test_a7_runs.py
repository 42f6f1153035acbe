"""The eight broken runs of assignment 7: their records, their code, and the trainer."""

import importlib.util
import inspect
import json
from pathlib import Path

import nbformat
import pytest
import torch

from course_utils.checks.a7_trainer import FAULT_OF, NAME_OF
from course_utils.checks.broken_runs import (
    CASES,
    FAULTS,
    RECORDS,
    REFERENCE,
    fill,
    lines,
    network,
    pictures,
    record,
    rerun,
)
from course_utils.models import line_classifier

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "solutions" / "a7_which_bug" / "a7_which_bug.ipynb"


def load_script():
    spec = importlib.util.spec_from_file_location("make_runs", ROOT / "tools" / "make_runs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def agree(found, stored):
    """Return whether two records agree: floats to the third digit, all else exactly."""
    if isinstance(stored, dict):
        return found.keys() == stored.keys() and all(agree(found[k], stored[k]) for k in stored)
    if isinstance(stored, list):
        return len(found) == len(stored) and all(map(agree, found, stored))
    if isinstance(stored, float):
        return found == pytest.approx(stored, rel=0.02, abs=1e-8)
    return found == stored


@pytest.mark.slow
def test_the_records_are_what_the_script_gives():
    made, stored = load_script().make_records(), json.loads(RECORDS.read_text())
    for records in (made, stored):
        # bn1 of the dead network gets a constant: a processor's last bits decide behind it
        del records["run-7"]["zero_share"]["relu2"]
        for kind in ("gradients_brought", "gradients_held", "step_lengths"):
            del records["run-7"][kind]["fc2.weight"]

    assert list(made) == [REFERENCE, *CASES]
    for case in made:
        for entry in stored[case]:
            assert agree(made[case][entry], stored[case][entry]), (case, entry)


def test_each_fault_is_the_fault_of_one_run_and_not_in_the_order_of_the_list():
    names = [NAME_OF[case] for case in CASES]

    assert sorted(names) == sorted(FAULTS)
    assert all(name != fault for name, fault in zip(names, FAULTS, strict=True))


def test_a_record_is_a_copy_and_an_unknown_run_is_told():
    record("run-1")["val_losses"].clear()

    assert len(record("run-1")["val_losses"]) == 10
    with pytest.raises(ValueError, match=r"no run is called 'run-9'; there are run-1, .*reference"):
        record("run-9")
    with pytest.raises(ValueError, match="no run is called 'run-0'"):
        rerun("run-0")


def test_every_run_has_the_reference_result_once_its_piece_is_mended():
    expected = rerun(REFERENCE)

    for case in ("run-7", "run-2"):  # another start, other data: from the first step on
        mended = rerun(case, FAULT_OF[NAME_OF[case]].mended)
        assert {k: pytest.approx(v, rel=1e-9) for k, v in expected.items()} == mended


def test_a_rerun_is_what_was_recorded_and_hands_the_model_out():
    models = []

    log = rerun("run-6", on_model=models.append)

    assert [name for name, _ in models[0].named_children()] == record("run-6")["modules"]
    assert log["step_losses"][:20] == pytest.approx(record("run-6")["step_losses"][:20], rel=0.01)


def test_the_network_is_the_case_studys_with_a_batch_norm():
    model = network()

    names = [name for name, _ in model.named_children() if name != "bn1"]
    assert names == [name for name, _ in line_classifier().named_children()]
    assert sum(parameter.numel() for parameter in model.parameters()) == 233


def test_a_seed_fills_as_pytorch_does_and_leaves_its_stream_alone():
    torch.manual_seed(13)
    classifier = line_classifier()
    state = torch.get_rng_state()

    model = fill(network(), 13)

    for name, parameter in classifier.named_parameters():
        torch.testing.assert_close(model.get_parameter(name).float(), parameter)
    other = torch.get_rng_state()
    torch.set_rng_state(state)
    network()
    assert torch.equal(other, torch.get_rng_state())


def test_copies_of_a_picture_have_one_number():
    images, labels = lines(480, 17)
    which = pictures(images)

    assert which.max() + 1 == 55
    for number in range(55):
        assert len(images[which == number].unique(dim=0)) == 1
        assert len(labels[which == number].unique()) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_the_notebook_shows_the_broken_code(fault):
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (shown,) = [cell.source for cell in cells if cell.id == "pieces"]
    function = FAULT_OF[fault].broken
    body = inspect.getsource(function).partition('"""')[2]

    assert f"**{fault}**" in shown
    assert (
        f"def {function.__name__}({', '.join(inspect.signature(function).parameters)[:10]}" in shown
    )
    assert body.replace("  # type: ignore[no-untyped-call]", "").strip() in shown


def test_twelve_points_are_given_by_hand_and_only_there():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    by_hand = [
        (cell.cell_type, cell.metadata.nbgrader.points)
        for cell in cells
        if cell.metadata.nbgrader.solution and cell.metadata.nbgrader.grade
    ]

    assert by_hand == [("markdown", 8), ("code", 4)]


def test_the_reports_on_a_diagnosis_do_not_tell_the_name():
    from course_utils.checks import examine

    for case in CASES:
        for name in FAULTS:
            if name != NAME_OF[case]:
                table = NAME_OF | {case: name}
                report = examine(table.get, name="diagnose")
                assert report.points == 14
                assert NAME_OF[case] not in report.message
