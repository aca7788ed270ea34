"""Images that pods wait for in vain, as recorded pods show it."""

from remediator.workloads.stuck_pods import unpullable_images
from tests.workloads.recorded import body


def test_a_recorded_pod_that_cannot_pull_names_its_image() -> None:
    pods = [body("pods", "bad-image: ErrImagePull"), body("pods", "bad-image: ImagePullBackOff")]
    wanted = pods[0]["spec"]["containers"][0]["image"]
    assert unpullable_images(pods) == {wanted}


def test_a_pod_that_waits_for_anything_else_names_none() -> None:
    assert (
        unpullable_images([body("pods", "crash: CrashLoopBackOff"), body("pods", "no-config")]) == frozenset()
    )
