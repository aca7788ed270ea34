"""Secrets go, everything else stays as it was written."""

import json
import random
import time

import pytest

from remediator.redaction.document import redact_json
from remediator.redaction.names import names_a_secret
from remediator.redaction.text import redact
from tests.hostile.canaries import KINDS, canary

LARGE = 1 << 20
LINE = KINDS["ordinary"][0] + " " + KINDS["ordinary"][3] + "\n"
DENSE = "password=hunter2 token: abc "


@pytest.mark.parametrize("kind", KINDS["texts"])
def test_a_secret_of_a_known_shape_is_gone(kind: str) -> None:
    for seed in range(5):
        planted = canary(kind, random.Random(seed))
        shown = redact(planted.text)
        assert [each for each in planted.traces if each in shown] == [], shown
        assert "***" in shown
        assert shown.count("\n") == planted.text.count("\n")
        assert redact(shown) == shown


@pytest.mark.parametrize("line", KINDS["ordinary"])
def test_an_ordinary_line_stays_as_it_is(line: str) -> None:
    assert redact(line) == line


def test_ordinary_lines_stay_together_as_well() -> None:
    text = "\n".join(KINDS["ordinary"])
    assert redact(text) == text


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("DB_PASSWORD", True),
        ("apiKey", True),
        ("client-secret", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("PGPASSWORD", True),
        ("session_id", True),
        ("secretName", False),
        ("token_type", False),
        ("passwordFile", False),
        ("prompt_tokens", False),
        ("author", False),
        ("key", False),
        ("tokenizer", False),
    ],
)
def test_names_of_secrets_are_told_from_names_about_secrets(name: str, is_one: bool) -> None:
    assert names_a_secret(name) is is_one


def test_in_json_the_name_decides() -> None:
    sent = {
        "env": [{"name": "SMTP_PASSWORD", "value": "plain"}, {"name": "PORT", "value": "80"}],
        "password": {"of": ["plain", 7, None, True]},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "plain", "team": "shop"},
        "dump": {"kind": "Secret", "data": {"a": "plain"}, "metadata": {"name": "db"}},
        "lines": ["-----BEGIN PRIVATE KEY-----", "plain", "-----END PRIVATE KEY-----", "ready"],
        "numbers": [1, 2.5, None],
    }
    assert redact_json(sent) == {
        "env": [{"name": "SMTP_PASSWORD", "value": "***"}, {"name": "PORT", "value": "80"}],
        "password": {"of": ["***", "***", None, True]},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "***", "team": "shop"},
        "dump": {"kind": "Secret", "data": {"a": "***"}, "metadata": {"name": "db"}},
        "lines": ["***", "***", "***", "ready"],
        "numbers": [1, 2.5, None],
    }


def test_a_redacted_json_text_is_still_json() -> None:
    text = json.dumps({"password": "a", "env": [{"name": "API_TOKEN", "value": "b"}], "port": 80})
    assert json.loads(redact(text)) == {
        "password": "***",
        "env": [{"name": "API_TOKEN", "value": "***"}],
        "port": 80,
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ((LINE * (LARGE // len(LINE) + 1))[:LARGE], 0.5),
        ("a" * LARGE, 0.5),
        ("QUJD" * (LARGE // 4), 0.5),
        ("-----BEGIN A-----" * (LARGE // 17), 2.0),
        ("eyJ" * (LARGE // 3), 0.5),
        (DENSE * (LARGE // len(DENSE)), 2.5),
    ],
    ids=["ordinary lines", "one letter", "base64", "beginnings", "heads of tokens", "nothing but secrets"],
)
def test_a_megabyte_takes_no_longer_than_its_length_says(text: str, seconds: float) -> None:
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < seconds
