"""Ways in which somebody who owns the database may hide or invent what was done, each a statement."""

from collections.abc import Mapping

CHAIN, PLACE = "$CHAIN", "$PLACE"
"""Filled in: a chain, and a place that is neither its first nor its last."""

_ALL_LATER = f"update audit set place = -place where chain = '{CHAIN}' and place >= {PLACE}"
_CHECKS_OFF = "alter table audit drop constraint audit_place_check"

TAMPERED: Mapping[str, str] = {
    "a text was changed": f"""
        update audit set record = replace(record, '{{', '{{"x": 1, ') where chain = '{CHAIN}' and place = {PLACE}""",
    "a text was changed and the hash of its row made to fit": f"""
        update audit a set record = '{{}}', hash = (
            select encode(sha256(convert_to(concat_ws(E'\\n', b.hash, a.chain, a.place,
                to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.kind, a.subject, '{{}}'),
                'UTF8')), 'hex') from audit b where b.chain = a.chain and b.place = a.place - 1)
        where chain = '{CHAIN}' and place = {PLACE}""",
    "a time was changed": f"""
        update audit set at = at + interval '1 hour' where chain = '{CHAIN}' and place = {PLACE}""",
    "a row was deleted": f"delete from audit where chain = '{CHAIN}' and place = {PLACE}",
    "a row was deleted and the gap closed": f"""
        {_CHECKS_OFF}; delete from audit where chain = '{CHAIN}' and place = {PLACE};
        {_ALL_LATER}; update audit set place = -place - 1 where place < 0;
        update audit_heads set place = place - 1 where chain = '{CHAIN}'""",
    "a row was put in": f"""
        {_CHECKS_OFF}; {_ALL_LATER}; update audit set place = -place + 1 where place < 0;
        insert into audit (chain, place, at, kind, subject, record, hash)
            select chain, {PLACE}, at, kind, subject, record, hash from audit
            where chain = '{CHAIN}' and place = {PLACE} - 1;
        update audit_heads set place = place + 1 where chain = '{CHAIN}'""",
    "a row was put at the end": f"""
        insert into audit (chain, place, at, kind, subject, record, hash)
            select h.chain, h.place + 1, a.at, a.kind, a.subject, a.record, a.hash
            from audit_heads h join audit a using (chain, place) where h.chain = '{CHAIN}'""",
    "two rows changed places": f"""
        {_CHECKS_OFF}; update audit set place = -place where chain = '{CHAIN}' and place in ({PLACE}, {PLACE} - 1);
        update audit set place = case -place when {PLACE} then {PLACE} - 1 else {PLACE} end where place < 0""",
    "the end was cut off": f"""
        delete from audit where chain = '{CHAIN}' and place >= {PLACE}""",
    "the end was cut off and the head moved back": f"""
        delete from audit where chain = '{CHAIN}' and place >= {PLACE};
        update audit_heads h set place = a.place, hash = a.hash from audit a
        where h.chain = '{CHAIN}' and a.chain = h.chain and a.place = {PLACE} - 1""",
    "the whole chain was taken away": f"""
        delete from audit where chain = '{CHAIN}'; delete from audit_heads where chain = '{CHAIN}'""",
    "the head was taken away": f"delete from audit_heads where chain = '{CHAIN}'",
    "a change was written over": """
        update attempts set to_revision = 'another' where id = (select max(id) from attempts)""",
    "an attempt was deleted": "delete from attempts where id = (select max(id) from attempts)",
    "an attempt was put in": """
        insert into attempts (run_id, rung, action_index, action, rule, cluster, kind, namespace, name,
                              from_revision, to_revision, change, epoch)
        select run_id, rung, action_index + 1, action, rule, cluster, kind, namespace, name, from_revision,
               to_revision, change, epoch from attempts order by id limit 1""",
    "an outcome was written over": """
        update attempts set outcome = 'not_applied' where id = (select min(id) from attempts)""",
    "a pause was deleted": "delete from pauses",
    "a pause was put in": "insert into pauses (scope, name, who, why) values ('everything', 'p', 'kim', 'no')",
    "a no became a yes": "update approval_answers set yes = not yes",
    "an answer was deleted": "delete from approval_answers",
    "another approved the rule": "update rule_versions set approved_at = remediator_now(), approved_by = 'kim'",
    "the end of a run was written over": """
        update runs set state = 'RESOLVED' where state <> 'RESOLVED' and ended_at is not null""",
}
"""Each with the triggers and foreign keys of the database switched off."""
