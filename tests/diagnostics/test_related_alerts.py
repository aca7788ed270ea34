"""related_alerts: what else fires beside the target's alert."""

from remediator.diagnostics.related_alerts import RelatedAlerts
from tests.diagnostics.looking import looked
from tests.guards.facts import Facts
from tests.support.story import ALERT


async def test_other_alerts_of_the_namespace_are_told_and_its_own_is_not(facts: Facts) -> None:
    facts.alertmanager.fire(ALERT)
    facts.alertmanager.fire({"alertname": "PodCrashLooping", "namespace": "shop", "pod": "api-1"})
    facts.alertmanager.fire({"alertname": "Elsewhere", "namespace": "other"})
    evidence = await looked(facts, RelatedAlerts())
    assert evidence.summary == "1 other alerts fire in shop: PodCrashLooping"
    assert not evidence.failed


async def test_an_alert_whose_plain_namespace_is_the_exporters_is_found(facts: Facts) -> None:
    facts.alertmanager.fire({"alertname": "Full", "namespace": "monitoring", "exported_namespace": "shop"})
    evidence = await looked(facts, RelatedAlerts())
    assert [each["alertname"] for each in evidence.details["alerts"]] == ["Full"]


async def test_a_silenced_one_is_counted_apart(facts: Facts) -> None:
    facts.alertmanager.fire({"alertname": "Noisy", "namespace": "shop"})
    facts.alertmanager.silence({"alertname": "Noisy"})
    evidence = await looked(facts, RelatedAlerts())
    assert evidence.summary == "0 other alerts fire in shop, 1 more are silenced or inhibited"


async def test_many_are_cut_and_counted(facts: Facts) -> None:
    for number in range(60):
        facts.alertmanager.fire({"alertname": f"Alert{number}", "namespace": "shop"})
    evidence = await looked(facts, RelatedAlerts())
    assert (len(evidence.details["alerts"]), evidence.details["left_out"]) == (50, 10)


async def test_no_peer_that_answers_is_a_look_that_failed(facts: Facts) -> None:
    await facts.alertmanager.stop()
    evidence = await looked(facts, RelatedAlerts())
    assert evidence.failed
    assert "cannot connect" in evidence.summary
