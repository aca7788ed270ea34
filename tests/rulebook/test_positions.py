"""YAML is read without its surprises, and everything in it knows where it stands."""

from typing import Any

import pytest

from remediator.rulebook.positions import MOST_BYTES, read_yaml
from remediator.rulebook.problem import Fault, Place, YamlPath

WORDS: list[tuple[str, Any]] = [
    ("yes", "yes"),
    ("no", "no"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("010", "010"),
    ("1:30", "1:30"),
    ("12:30:45", "12:30:45"),
    ("2026-01-01", "2026-01-01"),
    ("1_000", "1_000"),
    ("0b1", "0b1"),
    ("v1.10", "v1.10"),
    ("=", "="),
    ("true", True),
    ("FALSE", False),
    ("tRue", "tRue"),
    ("null", None),
    ("~", None),
    ("", None),
    ("0", 0),
    ("-12", -12),
    ("+5", 5),
    ("0x1F", 31),
    ("0o17", 15),
    ("1.5", 1.5),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("'1'", "1"),
    ('"true"', "true"),
]

REFUSED = [
    (b"a: 1\nb: 2\na: 3\n", (3, 1), "the same key a second time, first in line 1"),
    (b"a: &x 1\n", (1, 4), "the anchor &x"),
    (b"a: &x [*x]\n", (1, 8), "the alias *x"),
    (b"a: 1\nb:\n  <<: {c: 1}\n", (3, 3), "a merge key"),
    (b"a: !!str 5\n", (1, 4), "the tag !!str"),
    (b"a: !!python/object/apply:os.system [id]\n", (1, 4), "the tag !!python"),
    (b"a: 1\n---\nb: 2\n", (2, 1), "a second document"),
    (b"a: .inf\n", (1, 4), "not a finite number"),
    (b"a: -.INF\n", (1, 4), "not a finite number"),
    (b"a: .nan\n", (1, 4), "not a finite number"),
    (b"a: 1e400\n", (1, 4), "a number too large to mean anything"),
    (b"a: " + b"9" * 5000 + b"\n", (1, 4), "a number too large to mean anything"),
    (b"5: x\n", (1, 1), "a key that is not text"),
    (b"true: x\n", (1, 1), "a key that is not text"),
    (b"~: x\n", (1, 1), "a key that is not text"),
    (b"? [a]\n: x\n", (1, 3), "a key that is not text"),
    (b"a:\n\t- b\n", (2, 1), "a tab where YAML wants spaces"),
    (b"a: [1, 2\nb: 3\n", (1, 4), "a list that opens here is not closed with ]"),
    (b"a: *error*\n", (1, 4), "no text begins so"),
    (b"a: @b\n", (1, 4), "no text begins so"),
    (b"a: 'b\n", (1, 4), "the quote that opens here is not closed"),
    (b"a: b: c\n", (1, 5), "a colon where no key can be"),
    (b"a: \xff\n", (1, 4), "not text in UTF-8"),
    (b"a: 1\nb: \xc3\xa9\x00\n", (2, 5), "a character that YAML does not allow: U+0000"),
    ("a: 1\n".encode("utf-16"), (1, 1), "not text in UTF-8"),
    (b"[" * 100_000, (1, 33), "nested deeper than 32 levels"),
    (b"- " * 50_000, (1, 65), "nested deeper than 32 levels"),
    (b"#" * (MOST_BYTES + 1), (1, 1), "larger than 1 MiB"),
]

SOURCE = """\
# a comment
top:
  - plain: word
    'single': 'it''s {x}'
    double: "tab\\t \\"q\\" \\u263a {x}"
    flow: ["☺", {deep: x}]
  -
    folded: >-
      two
      lines
"""


@pytest.mark.parametrize(("word", "expected"), WORDS)
def test_a_word_means_what_yaml_1_2_says(word: str, expected: Any) -> None:
    document = read_yaml(f"a: {word}\n".encode())
    assert document.faults == []
    assert document.content == {"a": expected}
    assert type(document.content["a"]) is type(expected)


@pytest.mark.parametrize(("raw", "place", "sentence"), REFUSED, ids=lambda value: repr(value)[:40])
def test_what_would_surprise_a_reader_is_refused_with_its_place(
    raw: bytes, place: tuple[int, int], sentence: str
) -> None:
    document = read_yaml(raw)
    told = [(document.place(each), each.message) for each in document.faults]
    assert any(sentence in message and found == Place(*place) for found, message in told), told


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("top",), 3, 3),
        (("top", 0, "plain"), 3, 12),
        (("top", 0, "single"), 4, 15),
        (("top", 0, "double"), 5, 13),
        (("top", 0, "flow", 1), 6, 17),
        (("top", 0, "flow", 1, "deep"), 6, 24),
        (("top", 1, "folded"), 8, 13),
        (("top", 1, "not", "there"), 8, 5),
    ],
)
def test_every_value_knows_its_place(path: YamlPath, line: int, column: int) -> None:
    assert read_yaml(SOURCE.encode()).place(Fault(path, "")) == Place(line, column)


def test_a_key_knows_its_place() -> None:
    fault = Fault(("top", 0, "single"), "", at_key=True)
    assert read_yaml(SOURCE.encode()).place(fault) == Place(4, 5)


@pytest.mark.parametrize("key", ["single", "double"])
def test_a_character_of_a_quoted_text_is_found_behind_its_escapes(key: str) -> None:
    document = read_yaml(SOURCE.encode())
    path = ("top", 0, key)
    place = document.place(Fault(path, "", offset=document.content["top"][0][key].index("{")))
    assert SOURCE.splitlines()[place.line - 1][place.column - 1 :].startswith("{x}")


def test_a_character_of_a_text_over_several_lines_is_found_where_the_text_begins() -> None:
    assert read_yaml(SOURCE.encode()).place(Fault(("top", 1, "folded"), "", offset=4)) == Place(8, 13)


def test_one_refusal_hides_no_other() -> None:
    document = read_yaml(b"a: &x 1\nb: *x\na: {a: 1, a: 2, <<: 3}\n5: {c: 1, c: 2}\n")
    assert [document.place(each).line for each in document.faults] == [1, 2, 3, 3, 4]
    assert document.readable
    assert document.content == {"a": 1, "b": None}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_and_any_line_end_are_read(line_end: str) -> None:
    document = read_yaml(f"\ufeffa: 1{line_end}b: 'x'{line_end}".encode())
    assert document.content == {"a": 1, "b": "x"}
    assert document.place(Fault(("b",), "", offset=0)) == Place(2, 5)
