"""Loops that one replica at a time runs."""

from remediator.store.database import Connection


async def hold(connection: Connection, name: str, owner: str, seconds: float) -> bool:
    """Take or keep a loop for `seconds`; False while another replica has it."""
    held = await connection.fetchval(
        """insert into loop_leases (name, owner, until)
           values ($1, $2, remediator_now() + make_interval(secs => $3))
           on conflict (name) do update set owner = excluded.owner, until = excluded.until
               where loop_leases.owner = excluded.owner or loop_leases.until < remediator_now()
           returning 1""",
        name,
        owner,
        seconds,
    )
    return held is not None
