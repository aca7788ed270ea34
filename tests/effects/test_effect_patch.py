"""What is sent for a scaling: absolute numbers, and nothing unless everything is still as it was."""

from remediator.effects.apply import effect_patch
from tests.effects.test_recovery import SCALING


def test_a_scaling_tests_uid_epoch_template_and_number_and_leaves_its_marker() -> None:
    assert effect_patch(SCALING, "7/0/0", 41) == [
        {"op": "test", "path": "/metadata/uid", "value": "uid-1"},
        {"op": "test", "path": "/metadata/annotations/remediator.io~1epoch", "value": "41"},
        {"op": "test", "path": "/spec/template", "value": SCALING.from_template},
        {"op": "test", "path": "/spec/replicas", "value": 0},
        {"op": "replace", "path": "/spec/replicas", "value": 3},
        {"op": "add", "path": "/metadata/annotations/remediator.io~1attempt", "value": "7/0/0"},
    ]
