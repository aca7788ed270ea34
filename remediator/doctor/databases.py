"""The databases of applications: can they be looked into, and do the rules name any that is not there?"""

import asyncio

from remediator.clients.databases import why_not_read_only
from remediator.clients.postgres import Session, session
from remediator.diagnostics.sql_query import SqlQuery, as_json
from remediator.doctor.finding import Finding, counted, failed, ok, unknown, warning
from remediator.doctor.systems import Systems
from remediator.errors import RemediatorError
from remediator.settings.databases import ApplicationDatabase
from remediator.step import DatabaseDiagnostic

_HOW = "docs/operating.md, Databases for diagnostics"


async def check_databases(systems: Systems) -> list[Finding]:
    """Each that is configured, side by side, then the rules."""
    configured = systems.settings.databases
    looks = await asyncio.gather(*(_looked_into(each) for each in configured))
    findings = [finding for each in looks for finding in each]
    try:
        return findings + await check_rule_databases(systems)
    except RemediatorError as reason:
        return [*findings, unknown(reason.sentence, "see to that first")]


async def check_rule_databases(systems: Systems) -> list[Finding]:
    """Do the databases and queries that rules name stand in remediator.yml? Nothing is asked of them."""
    configured = {each.name: each for each in systems.settings.databases}
    rulebook = await systems.rulebook()
    findings, steps = [], 0
    for rule in rulebook.rules:
        for step in rule.diagnostics:
            if isinstance(step, DatabaseDiagnostic):
                steps += 1
                findings += _missing(f"rule {rule.rule}: {step.key()}", step, configured)
    if findings:
        return findings
    if not steps:
        return [ok(f"no rule looks into a database ({len(configured)} configured)")]
    return [
        ok(f"{counted(steps, 'diagnostic')} of rules can find {'its' if steps == 1 else 'their'} database")
    ]


def _missing(who: str, step: DatabaseDiagnostic, configured: dict[str, ApplicationDatabase]) -> list[Finding]:
    if not configured:
        return [failed(f"{who} finds no database in remediator.yml", f"name one under databases: {_HOW}")]
    if step.database is not None and step.database not in configured:
        do = f"mend the rule, or add it under databases; there are {', '.join(sorted(configured))}"
        return [failed(f"{who} names the database {step.database}, which remediator.yml does not have", do)]
    if not isinstance(step, SqlQuery):
        return []
    asked = [each for name, each in configured.items() if step.database in (None, name)]
    if any(query.name == step.query for each in asked for query in each.queries):
        return []
    where = "no database" if step.database is None else f"the database {step.database}"
    does = "has" if step.database is None else "does not have"
    return [failed(f"{who} names the query {step.query}, which {where} {does}", "mend the rule, or add it")]


async def _looked_into(database: ApplicationDatabase) -> list[Finding]:
    try:
        async with session(database.name, database.dsn_file) as opened:
            why = await why_not_read_only(opened)
            if why is not None:
                do = f"give it a role that can only read: {_HOW}"
                return [failed(f"database {database.name} is not looked into: {why}", do)]
            saw = f"{database.name}: PostgreSQL {opened.version}, database {opened.database}, role {opened.role}"
            findings = [ok(saw), *await _queries(opened, database)]
            if not opened.sees_statistics:
                saw = f"{database.name}: the role {opened.role} does not see what other roles do"
                findings.append(warning(saw, f"grant pg_monitor to {opened.role}"))
            return findings
    except RemediatorError as reason:
        return [failed(reason.sentence, "see to its dsn_file, its pg_hba.conf, and the network between")]


async def _queries(opened: Session, database: ApplicationDatabase) -> list[Finding]:
    """Parsed by the server, and not run."""
    findings = []
    for each in database.queries:
        try:
            takes = await opened.parse(as_json(each))
        except RemediatorError as reason:
            findings.append(failed(f"query {each.name}: {reason.sentence}", "mend it in remediator.yml"))
            continue
        if takes != len(each.parameters):
            saw = f"query {each.name} of {database.name} takes {takes} parameters, and {len(each.parameters)} are given"
            findings.append(failed(saw, "mend it in remediator.yml"))
    return findings
