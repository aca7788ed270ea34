"""A webhook is only a hint: just before acting, Alertmanager itself must say the alert still fires."""

import re
from typing import ClassVar

from remediator.clients.alertmanager import too_few
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, Eviction
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard

_CLASSIC_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class AlertStillFiring(Guard):
    """One peer must say active, no reachable peer may say suppressed, and half of them must answer.

    A silenced alert sends nothing, not even a resolved notice (Alertmanager issue 226), so only
    asking shows that an operator silenced it. What was begun while the alert fired is finished although it
    has cleared meanwhile, because half a cure is none; a silence stops that as well.
    """

    of_alerts: ClassVar[bool] = True

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        labels = {
            name: value for name, value in run.the_alert.labels.items() if _CLASSIC_NAME.fullmatch(name)
        }
        peers = await kit.alertmanager.ask(labels)
        states: dict[str, str] = {}
        for peer in peers:
            if peer.alerts is None:
                states[peer.peer] = f"unreachable: {peer.error}"
                continue
            found = [each for each in peer.alerts if each.fingerprint == run.the_alert.fingerprint]
            states[peer.peer] = found[0].state if found else "absent"
        return self._judge(states, run, finishes=isinstance(change, Eviction) and change.completes)

    def _judge(self, states: dict[str, str], run: RunView, *, finishes: bool) -> GuardVerdict:
        inputs = {"peers": states, "fingerprint": run.the_alert.fingerprint, "answers": "half"}
        suppressed = [peer for peer, state in states.items() if state == "suppressed"]
        if suppressed:
            return self.refuse(f"the alert is silenced or inhibited on {suppressed[0]}", inputs, passing=True)
        answered = [peer for peer, state in states.items() if not state.startswith("unreachable")]
        few = too_few(len(answered), len(states))
        if few is not None:
            return self.unknown(few, inputs)
        firing = [peer for peer in answered if states[peer] == "active"]
        if firing:
            return self.allow(f"{firing[0]} says it is firing", inputs)
        if any(states[peer] == "unprocessed" for peer in answered):
            return self.unknown("Alertmanager has not processed the alert yet", inputs)
        if finishes:
            return self.allow(
                "the alert has cleared, and this finishes what was begun while it fired", inputs
            )
        return self.refuse("no Alertmanager peer lists the alert any more", inputs, passing=True)
