"""Whatever is posted, the answer is one Alertmanager understands, and the next good message is stored."""

import gzip
import json
from typing import Any

import pytest

from tests.support.alerts import alert, labelled, message, recorded, without
from tests.support.web import INTAKE, TOKEN, Web

GOOD = json.dumps(message(alert())).encode()


def nested(depth: int) -> bytes:
    return GOOD[:-1] + b', "more": ' + b"[" * depth + b"]" * depth + b"}"


UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"{",
    "half a message": GOOD[: len(GOOD) // 2],
    "two documents": GOOD + GOOD,
    "trailing garbage": GOOD + b"x",
    "a comment": b"// hello\n" + GOOD,
    "a list": b"[]",
    "a string": b'"alerts"',
    "null": b"null",
    "a number": b"4",
    "an empty object": b"{}",
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "Latin-1": json.dumps(message(labelled(alertname="Größe")), ensure_ascii=False).encode("latin-1"),
    "overlong UTF-8": GOOD.replace(b"HighErrorRate", b"\xc0\x80"),
    "a raw surrogate": GOOD.replace(b"HighErrorRate", b"\xed\xa0\x80"),
    "a raw control character": GOOD.replace(b"HighErrorRate", b"a\x00b"),
    "the same key twice": GOOD[:-1] + b', "version": "4"}',
    "the same label twice": GOOD.replace(b'"namespace": "shop"', b'"namespace": "a", "namespace": "b"'),
    "NaN": GOOD[:-1] + b', "more": NaN}',
    "Infinity": GOOD[:-1] + b', "more": -Infinity}',
    "a number beyond floats": GOOD[:-1] + b', "more": 1e999}',
    "5000 digits": GOOD[:-1] + b', "more": ' + b"9" * 5000 + b"}",
    "a hundred thousand levels": nested(100_000),
    "too many objects": b"[" + b"{}," * 600_000 + b"{}]",
    "no version": json.dumps(without(message(alert()), "version")).encode(),
    "version 3": json.dumps(message(alert(), version="3")).encode(),
    "version 5": json.dumps(message(alert(), version="5")).encode(),
    "version as a number": json.dumps(message(alert(), version=4)).encode(),
    "no alerts": json.dumps(without(message(), "alerts")).encode(),
    "alerts are null": json.dumps(message(alerts=None)).encode(),
    "alerts are an object": json.dumps(message(alerts={})).encode(),
    "truncated is negative": json.dumps(message(alert(), truncatedAlerts=-1)).encode(),
    "truncated is a string": json.dumps(message(alert(), truncatedAlerts="3")).encode(),
    "truncated group without labels": json.dumps(message(truncatedAlerts=1, groupLabels=["a"])).encode(),
    "truncated group with NUL": json.dumps(message(truncatedAlerts=1, groupLabels={"a": "\0"})).encode(),
    "an overridden payload": b'{"text": "HighErrorRate is firing"}',
}

SET_ASIDE: dict[str, Any] = {
    "null": None,
    "a string": "alert",
    "a list": [alert()],
    "no status": alert(status=None),
    "another status": alert(status="suppressed"),
    "status in a list": alert(status=["firing"]),
    "no labels": alert(labels=None),
    "empty labels": alert(labels={}),
    "labels that are all empty": alert(labels={"alertname": ""}),
    "labels in a list": alert(labels=["alertname"]),
    "a number as label": alert(labels={"alertname": 3}),
    "true as label": alert(labels={"alertname": True}),
    "null as label": alert(labels={"alertname": None}),
    "a label without name": alert(labels={"": "x"}),
    "NUL in a value": labelled(alertname="a\0b"),
    "NUL in a name": alert(labels={"a\0b": "x"}),
    "half a surrogate pair": labelled(alertname="\ud800"),
    "the other half": labelled(alertname="\udfff"),
    "70 kB of labels": labelled(alertname="x" * 70_000),
    "a hundred thousand labels": alert(labels={f"l{number}": "x" for number in range(100_000)}),
    "300 kB of annotations": alert(annotations={"summary": "x" * 300_000}),
    "annotations in a list": alert(annotations=["x"]),
    "a number as annotation": alert(annotations={"summary": 3}),
    "no startsAt": alert(startsAt=None),
    "startsAt in the year 1": alert(startsAt="0001-01-01T00:00:00Z"),
    "startsAt as a number": alert(startsAt=1767614280),
    "startsAt without zone": alert(startsAt="2026-01-05T11:58:00"),
    "startsAt at 24:00": alert(startsAt="2026-01-05T24:00:00Z"),
    "startsAt in second 60": alert(startsAt="2026-01-05T11:58:60Z"),
    "startsAt by week": alert(startsAt="2026-W02-1T11:58:00Z"),
    "compact startsAt": alert(startsAt="20260105T115800Z"),
    "startsAt in full-width digits": alert(startsAt="\uff12\uff10\uff12\uff16-01-05T11:58:00Z"),
    "startsAt beyond time": alert(startsAt="9999-12-31T23:59:59-01:00"),
    "startsAt before time": alert(startsAt="0001-01-01T00:00:00+01:00"),
    "endsAt is nonsense": alert(status="resolved", endsAt="later"),
    "generatorURL in a list": alert(generatorURL=["http://x"]),
    "a deep one": {"status": json.loads("[" * 500 + "]" * 500)},
}

TAKEN: dict[str, Any] = {
    "labels that look like code": labelled(
        alertname="'; drop table notices; --", a="{{7*7}}", b="$(id)", c="%s%n", d="${jndi:ldap://x}"
    ),
    "a label as Python's formats": labelled(alertname="{0.__class__.__mro__}"),
    "line breaks and escapes": labelled(alertname="a\r\nb\x1b]52;c\x07"),
    "right to left": labelled(alertname="\u202egpj.exe"),
    "any name is a label": alert(labels={'a"} or vector(1) #': "x", "größe": "y", "__proto__": "z"}),
    "a script": alert(annotations={"summary": "<script>alert(1)</script>"}, generatorURL="javascript:1"),
    "an emoji as a pair of escapes": labelled(alertname="\U0001f4a5"),
    "NUL in an annotation": alert(annotations={"summary": "a\0b"}),
    "half a pair in an annotation": alert(annotations={"summary": "\ud800"}, generatorURL="\udfff\0"),
    "annotations are null": {**alert(), "annotations": None},
    "no annotations": alert(annotations=None),
    "no generatorURL": alert(generatorURL=None),
    "a long generatorURL": alert(generatorURL="x" * 200_000),
    "resolved in the year 1": alert(status="resolved"),
    "resolved before it began": alert(status="resolved", endsAt="2026-01-01T00:00:00Z"),
    "from the future": alert(startsAt="9999-12-31T23:59:59Z"),
    "unknown keys": {**alert(), "values": {"A": 1.5}, "silenceURL": "", "deep": [[[{}]]]},
}


async def it_still_works(web: Web) -> None:
    assert (await web.post(recorded("firing"))).status == 200


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_body_that_can_never_be_read_is_a_400_with_a_hint(web: Web, name: str) -> None:
    answer = await web.post(UNREADABLE[name])
    assert answer.status == 400, answer.body
    assert set(answer.json) == {"error", "hint"}
    assert await web.rows("select 1 from notices union all select 1 from quarantine") == []
    await it_still_works(web)


@pytest.mark.parametrize("name", SET_ASIDE)
async def test_an_alert_that_cannot_be_read_is_set_aside_with_its_reason(web: Web, name: str) -> None:
    answer = await web.post(message(labelled(alertname="Good"), SET_ASIDE[name], truncatedAlerts=0))
    assert (answer.status, answer.json) == (200, {"status": "success", "alerts": 1, "quarantined": 1})
    assert await web.rows("select labels from notices") == [{"labels": {"alertname": "Good"}}]
    (row,) = await web.rows("select reason, length(body) as length from quarantine")
    assert row["reason"]
    assert 0 < row["length"] <= 65536
    await it_still_works(web)


@pytest.mark.parametrize("name", TAKEN)
async def test_an_alert_that_is_merely_odd_is_stored(web: Web, name: str) -> None:
    answer = await web.post(message(TAKEN[name]))
    assert (answer.status, answer.json) == (200, {"status": "success", "alerts": 1, "quarantined": 0})
    (row,) = await web.rows("select labels, annotations from notices")
    assert row["labels"] == TAKEN[name]["labels"]
    await it_still_works(web)


@pytest.mark.parametrize(
    "message_fields",
    [
        {"status": "resolved"},
        {"truncatedAlerts": 2**63},
        {"groupKey": "x" * 1_000_000},
        {"groupKey": "\0\ud800", "truncatedAlerts": 1},
        {"receiver": None},
        {"groupLabels": None, "commonLabels": 3, "routeLabels": {"a": "b"}, "notification_reason": "unknown"},
    ],
)
async def test_what_is_said_about_the_group_never_loses_an_alert(
    web: Web, message_fields: dict[str, Any]
) -> None:
    assert (await web.post(message(alert(), **message_fields))).status == 200
    assert await web.rows("select status from notices") == [{"status": "firing"}]


async def test_a_nested_body_that_python_can_read_is_stored(web: Web) -> None:
    assert (await web.post(nested(100))).status == 200


async def test_no_alerts_at_all_are_taken(web: Web) -> None:
    assert (await web.post(message())).json == {"status": "success", "alerts": 0, "quarantined": 0}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x"])
async def test_compressed_bodies_are_refused_unread(web: Web, encoding: str) -> None:
    answer = await web.post(gzip.compress(GOOD), Content_Encoding=encoding)
    assert answer.status == 415
    await it_still_works(web)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-7",
        "application/json5",
        "",
    ],
)
async def test_only_json_is_taken_for_json(web: Web, content_type: str) -> None:
    assert (await web.post(GOOD, Content_Type=content_type)).status == 415


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"]
)
async def test_json_may_name_its_charset(web: Web, content_type: str) -> None:
    assert (await web.post(GOOD, Content_Type=content_type)).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_told_which_one_works(web: Web, method: str) -> None:
    answer = await web.send(method, INTAKE, None, {"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert "Allow" in answer.json["hint"]


@pytest.mark.parametrize("path", [f"{INTAKE}//", f"{INTAKE}/a/b", f"{INTAKE}/%2e%2e/runs", "/api/v1/alerts"])
async def test_no_path_is_redirected(web: Web, path: str) -> None:
    assert (await web.post(GOOD, path)).status in (200, 401, 404, 405)
