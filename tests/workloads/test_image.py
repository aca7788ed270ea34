"""Two names of images mean the same image, or do not."""

import pytest

from remediator.workloads.image import among_images, same_image

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("app:v2", "app:v2", "tag"),
        ("app:v2", "app:v3", None),
        ("app", "app:latest", None),
        ("app:v2", "docker.io/library/app:v2", None),
        (f"app@{A}", f"app@{A}", "digest"),
        (f"app:v2@{A}", f"mirror.example:5000/app:other@{A}", "digest"),
        (f"app:v2@{A}", f"app:v2@{B}", None),
        (f"app:v2@{A}", "app:v2", "tag"),
        ("app:v2", f"app:v2@{A}", "tag"),
        ("app:v2", f"app:v3@{A}", None),
        ("registry:5000/app", "registry:5000/app", "tag"),
    ],
)
def test_digests_decide_where_both_have_one_and_else_the_letter(
    one: str, other: str, same: str | None
) -> None:
    assert same_image(one, other) == same
    assert same_image(other, one) == same


def test_every_container_counts_and_a_digest_says_more_than_a_tag() -> None:
    template = {
        "spec": {
            "initContainers": [{"name": "migrate", "image": "app:v1"}],
            "containers": [{"image": f"app:v2@{A}"}, {"image": "proxy:v9"}, {"name": "no image"}],
        }
    }
    assert among_images("app:v1", template) == "tag"
    assert among_images(f"app:v2@{A}", template) == "digest"
    assert among_images(f"app:v2@{B}", template) is None
    assert among_images("", {"spec": {"containers": [{"image": "x"}]}}) is None
    assert among_images("app:v1", {}) is None
