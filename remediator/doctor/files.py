"""What stands in files: the rules can be loaded, and every secret can be read. Nothing is sent anywhere."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from remediator.catalogue import NotifierStep
from remediator.doctor.finding import Finding, counted, failed, ok, warning
from remediator.doctor.systems import Systems
from remediator.rulebook.problem import RulebookError
from remediator.settings.load import Settings
from remediator.step import Notifier

_MEND = "mend it; `remediator rules check` names every mistake with its place"


async def check_rules(systems: Systems) -> list[Finding]:
    """Does the daemon start with these rules?"""
    try:
        rulebook = await systems.rulebook()
    except RulebookError as mistakes:
        return [failed(str(each), _MEND) for each in mistakes.problems]
    if not rulebook.rules:
        return [warning("there is no rule, so every alert is only recorded", "write one; docs/rules.md")]
    rules, written = counted(len(rulebook.rules), "rule"), counted(len(rulebook.files), "file")
    return [ok(f"{rules} in {written}, ceiling {systems.settings.effective_ceiling}")]


async def check_secrets(systems: Systems) -> list[Finding]:
    """Are the tokens there that the settings name, and does anything say who may post alerts?"""
    settings = systems.settings
    findings = [each for name, path in _secrets(settings) for each in _readable(name, path)]
    intake = settings.intake
    if intake.insecure:
        findings.append(
            warning(
                "intake.insecure takes alerts from anybody, and nothing is ever changed",
                "set intake.token_file",
            )
        )
    elif intake.token_file is None and intake.basic_auth is None:
        findings.append(failed("nothing says who may post alerts", "set intake.token_file"))
    if not settings.people and settings.kubernetes_people is None:
        findings.append(
            warning("nobody may use the API: no pause, no approval", "name people in remediator.yml")
        )
    return findings or [ok(f"{counted(len(list(_secrets(settings))), 'file')} with tokens can be read")]


def _secrets(settings: Settings) -> Iterator[tuple[str, Path]]:
    basic = settings.intake.basic_auth
    named = {
        "alertmanagers.token_file": settings.alertmanagers.token_file,
        "prometheus.token_file": settings.prometheus.token_file,
        "intake.token_file": settings.intake.token_file,
        "intake.basic_auth.password_file": None if basic is None else basic.password_file,
        "web.config.file": settings.web_config_file,
        **{f"the dsn_file of database {each.name}": each.dsn_file for each in settings.databases},
        **{f"the token of {each.name}": each.token_file for each in settings.people},
    }
    yield from ((name, path) for name, path in named.items() if path is not None)


async def check_notifiers(systems: Systems) -> list[Finding]:
    """Can each notifier be made, and its files be read? No notice is sent."""
    adapter: TypeAdapter[Notifier] = TypeAdapter(NotifierStep)
    entries = systems.settings.notifiers
    if not entries:
        return [warning("nobody is told but by Kubernetes Events", "add a webhook under notifiers")]
    findings: list[Finding] = []
    for index, entry in enumerate(entries):
        try:
            notifier = adapter.validate_python(entry)
        except ValidationError as mistakes:
            findings.append(
                failed(f"notifiers[{index}]: {mistakes.errors()[0]['msg']}", "mend it in remediator.yml")
            )
            continue
        for field in type(notifier).model_fields:
            value = getattr(notifier, field)
            if isinstance(value, Path):
                findings += _readable(f"notifiers[{index}].{notifier.key()}.{field}", value)
    return findings or [ok(f"{len(entries)} configured, every file of theirs can be read; nothing was sent")]


def _readable(name: str, path: Path) -> Iterator[Finding]:
    """Nothing when it can be read and says something."""
    try:
        if not path.read_bytes().strip():
            yield failed(f"{name}: {path} is empty", "put the secret there")
    except OSError as reason:
        yield failed(
            f"{name}: {path} cannot be read: {reason.strerror}", "put the file there, readable by this user"
        )
