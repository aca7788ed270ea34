"""Matchers mean what they mean to Alertmanager, and a mistake in one is named with its column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.domain.matcher import Matcher, MatcherError, parse_matchers
from remediator.domain.pattern import full_match, search

# From the tables of Alertmanager's own parser tests (matcher/parse and matcher/compliance), in braces.
READ_AS_ALERTMANAGER_DOES = [
    ("{foo=bar}", [("foo", "=", "bar")]),
    ("{foo=bar,}", [("foo", "=", "bar")]),
    ("{foo!=bar, a=b}", [("foo", "!=", "bar"), ("a", "=", "b")]),
    ("{foo=~[a-z]+}", [("foo", "=~", "[a-z]+")]),
    ("{foo!~[a-z]+, a=b}", [("foo", "!~", "[a-z]+"), ("a", "=", "b")]),
    ("{foo=🙂bar}", [("foo", "=", "🙂bar")]),
    ('{"foo"="bar"}', [("foo", "=", "bar")]),
    ('{"foo.bar/baz"=~"x|y"}', [("foo.bar/baz", "=~", "x|y")]),
    (r'{"foo"=~"\\d+"}', [("foo", "=~", r"\d+")]),
    (r'{"foo"="\xf0\x9f\x99\x82"}', [("foo", "=", "🙂")]),
    (r'{"foo"="\U0001f642\u263a"}', [("foo", "=", "🙂☺")]),
    (r'{"foo"="\101\n\t\"\\"}', [("foo", "=", 'A\n\t"\\')]),
    ('{ foo = "bar" , dings != "bums" , }', [("foo", "=", "bar"), ("dings", "!=", "bums")]),
    ('{foo="bar,quux}", job="job1"}', [("foo", "=", "bar,quux}"), ("job", "=", "job1")]),
    ('{name-with-dashes = "bar"}', [("name-with-dashes", "=", "bar")]),
    (
        r'{quote="She said: \"Hi, ladies! That\'s…\""}'.replace(r"\'", "'"),
        [("quote", "=", 'She said: "Hi, ladies! That\'s…"')],
    ),
    ('{\u2003foo\u00a0=\u3000"bar"}', [("foo", "=", "bar")]),
    ('{foo="bar", empty=""}', [("foo", "=", "bar"), ("empty", "=", "")]),
]

MISTAKES = [
    ("", 0, "in braces"),
    ('alertname="X"', 0, "in braces"),
    ('"{foo=bar}"', 0, "in braces"),
    ("{", 1, "expected the name of a label, found the end"),
    ("{,}", 1, "expected the name of a label, found ,"),
    ("{foo=bar", 8, "expected a comma or }, found the end"),
    ("{foo=bar,", 9, "expected the name of a label, found the end"),
    ("{foo=bar}}", 9, "expected nothing after }, found }"),
    ("{foo=bar} or {a=b}", 10, "expected nothing after }, found or"),
    ("{{foo=bar}", 1, "expected the name of a label, found {"),
    ("{foo}", 4, "expected =, !=, =~ or !~, found }"),
    ("{foo==bar}", 5, "expected a value in double quotes, found ="),
    ("{foo=}", 5, "expected a value in double quotes, found }"),
    ("{foo!bar}", 4, "expected != or !~"),
    ("{foo~bar}", 4, "~ can only stand inside double quotes"),
    ("{foo='bar'}", 5, "values are quoted with \", not with '"),
    ("{foo=`bar`}", 5, 'values are quoted with ", not with `'),
    ('{foo="bar', 5, 'the closing " is missing'),
    ('{foo="a" bar="b"}', 9, "expected a comma or }, found bar"),
    ("{foo=bar\\n}", 8, "\\ can only stand inside double quotes"),
    (r'{code=~"5\d\d"}', 9, r"written twice, \\d"),
    (r'{foo="bar\'x"}', 9, "is not an escape"),
    ('{foo="a\nb"}', 7, r"a line break inside quotes is written \n"),
    (r'{foo="\ud800"}', 6, "is no character"),
    (r'{foo="\U00110000"}', 6, "is no character"),
    (r'{foo="\xf0\x9f"}', 5, "valid UTF-8"),
    ('{""="x"}', 1, "the name of the label is empty"),
    ('{foo="x", job=~"a("}', 15, "not a regular expression RE2 accepts"),
    ('{foo=~"(?=x)"}', 6, "not a regular expression RE2 accepts"),
    ('{foo=~"a)(b"}', 6, "not a regular expression RE2 accepts"),
    ('{foo=~"x{1001}"}', 6, "not a regular expression RE2 accepts"),
    ("{}", 0, "matches every alert"),
    ('{foo=""}', 0, "matches every alert"),
    ('{foo=~".*", bar=~"|x"}', 0, "matches every alert"),
    ('{alertname!="Watchdog"}', 0, "matches every alert"),
    ('{alertname!~"Watch.*", severity!="none"}', 0, "matches every alert"),
    ('{alertname="A", alertname="B"}', 16, 'never holds together with alertname="A"'),
    ('{severity=~"page|critical", severity="warning"}', 28, "never holds together"),
    ('{severity="page", severity!="page"}', 18, 'never holds together with severity="page"'),
    ('{severity!~"p.*", severity=~"page|prod"}', 18, "nothing is left of its values"),
    ('{a=~"x|y", a!="x", a!="y"}', 19, 'never holds together with a=~"x|y", a!="x"'),
]

ACCEPTED = [
    ('{a=~"x|y", a!="x"}', {"a": "y"}, True),
    ('{a="x"}', {"a": "x"}, True),
    ('{a="x"}', {"a": "xy"}, False),
    ('{a="x"}', {}, False),
    ('{a="x", b!="y"}', {"a": "x"}, True),
    ('{a="x", b!="y"}', {"a": "x", "b": "y"}, False),
    ('{a="x", b=""}', {"a": "x"}, True),
    ('{a="x", b=""}', {"a": "x", "b": "z"}, False),
    ('{a=~"x|yy"}', {"a": "yy"}, True),
    ('{a=~"x|yy"}', {"a": "xyy"}, False),
    ('{a=~"x.z"}', {"a": "x\nz"}, False),
    ('{a=~"x"}', {"a": "x\n"}, False),
    ('{a=~"(?i)high.*"}', {"a": "HIGHER"}, True),
    ('{a=~"high.*"}', {"a": "too high"}, False),
    ('{a="x", b!~"y.*"}', {"a": "x"}, True),
    ('{a="x", b!~"y.*"}', {"a": "x", "b": "yes"}, False),
    ('{a="x", b!~".+"}', {"a": "x", "b": "z"}, False),
    ('{a!=""}', {"a": "x"}, True),
    ('{a!=""}', {}, False),
]


@pytest.mark.parametrize(("text", "expected"), READ_AS_ALERTMANAGER_DOES)
def test_a_line_is_read_as_alertmanager_reads_it(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(each.name, each.operator, each.value) for each in parse_matchers(text)] == expected


@pytest.mark.parametrize(("text", "offset", "sentence"), MISTAKES)
def test_a_mistake_is_named_where_it_is(text: str, offset: int, sentence: str) -> None:
    with pytest.raises(MatcherError) as refused:
        parse_matchers(text)
    assert sentence in refused.value.sentence
    assert refused.value.offset == offset


@pytest.mark.parametrize(("line", "labels", "expected"), ACCEPTED)
def test_a_missing_label_is_an_empty_one_and_an_expression_matches_the_whole_value(
    line: str, labels: dict[str, str], expected: bool
) -> None:
    assert all(each.matches(labels) for each in parse_matchers(line)) is expected


@given(name=st.text(min_size=1), value=st.text(min_size=1))
def test_what_is_written_out_is_read_back(name: str, value: str) -> None:
    (matcher,) = parse_matchers(f"{{{Matcher(name, '=', value)}}}")
    assert (matcher.name, matcher.value) == (name, value)


PARTS = st.sampled_from(
    [
        "a",
        "ab",
        "Ku",
        "|",
        "(",
        ")",
        "*",
        "+",
        "?",
        "{0}",
        "{2}",
        ".",
        "[ab]",
        "[|b]",
        "[]|b]",
        "\\.",
        "^",
        "$",
    ]
)


@given(pattern=st.lists(PARTS, max_size=7).map("".join), value=st.text(alphabet="abKu.|", max_size=8))
def test_no_shortcut_changes_what_an_expression_accepts(pattern: str, value: str) -> None:
    try:
        search(pattern, "")
    except ValueError:
        return
    expected = full_match(pattern, value)
    matcher = Matcher("a", "=~", pattern)
    assert matcher.accepts(value) is expected
    assert not expected or value.startswith(matcher.prefixes)
    assert Matcher("a", "!~", pattern).accepts(value) is not expected


def test_an_expression_that_would_make_others_hang_is_answered_at_once() -> None:
    (matcher,) = parse_matchers('{a=~"(x+x+)+y"}')
    assert not matcher.accepts("x" * 5000)


@pytest.mark.parametrize(
    ("pattern", "prefixes"),
    [
        ("Alert1.*|Slow[0-9]{1,3}", ("Alert1", "Slow")),
        ("ab?|c+", ("a", "c")),
        ("a.*|", ("a", "")),
        ("(Kube|Node).*", ("",)),
        ("Kube(Pod|Node).*", ("Kube",)),
        ("(?i)kube.*|node.*", ("",)),
    ],
)
def test_what_accepted_values_begin_with_is_told_where_it_can_be(
    pattern: str, prefixes: tuple[str, ...]
) -> None:
    assert Matcher("a", "=~", pattern).prefixes == prefixes
