"""What else fires beside the target's alert."""

from remediator.clients.alertmanager import PeerAlert, PeerAnswer
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Diagnostic

_MOST = 50
_IN_SUMMARY = 5
_NAMESPACES = ("namespace", "exported_namespace")


class RelatedAlerts(Diagnostic):
    """Alerts of the same namespace that Alertmanager holds, silenced ones too, and those of the same incident."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        namespace = run.target.namespace
        answers = [await kit.alertmanager.ask({name: namespace}) for name in _NAMESPACES]
        answered = [each for peers in answers for each in peers if each.alerts is not None]
        rows = {each.fingerprint: _row(each) for each in _alerts(answered)}
        if run.alert is not None:
            rows.pop(run.alert.fingerprint, None)
        known = {(row["alertname"], row["starts_at"]) for row in rows.values()}
        ours = [
            {"alertname": each.alertname, "labels": each.labels, "starts_at": each.starts_at.isoformat()}
            for each in await kit.history.open_beside(run.run_id, run.target)
            if run.alert is None or each.labels != run.alert.labels
        ]
        beside = [each for each in ours if (each["alertname"], each["starts_at"]) not in known]
        listed = sorted(rows.values(), key=lambda row: (row["state"] != "active", row["starts_at"]))
        silent = sorted({each.error for peers in answers for each in peers if each.error is not None})
        return Evidence(
            step=self.key(),
            summary="; ".join([_said(namespace, listed, beside), *silent]),
            details={
                "alerts": listed[:_MOST],
                "of_this_incident": beside[:_MOST],
                "left_out": max(0, len(listed) - _MOST) + max(0, len(beside) - _MOST),
            },
            failed=not answered,
        )


def _alerts(answers: list[PeerAnswer]) -> list[PeerAlert]:
    return [alert for each in answers for alert in each.alerts or ()]


def _row(alert: PeerAlert) -> JsonObject:
    return {
        "alertname": alert.labels.get("alertname", ""),
        "labels": alert.labels,
        "state": alert.state,
        "starts_at": alert.starts_at.isoformat(),
        "silenced": bool(alert.silenced_by),
        "inhibited": bool(alert.inhibited_by),
    }


def _said(namespace: str, listed: list[JsonObject], beside: list[JsonObject]) -> str:
    firing = [str(row["alertname"]) for row in listed if row["state"] == "active"]
    names = list(dict.fromkeys(firing))
    said = f"{len(firing)} other alerts fire in {namespace}"
    said += f": {', '.join(names[:_IN_SUMMARY])}" if names else ""
    said += (
        f", {len(listed) - len(firing)} more are silenced or inhibited" if len(listed) > len(firing) else ""
    )
    return said + (f"; {len(beside)} more of this incident" if beside else "")
