"""End the session that holds up the others."""

from remediator.domain.commands import psql
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong

PROCEDURE = Procedure(
    name="terminate_backend",
    title="End the database session that holds up others",
    source="Performance Troubleshooting, Slow Response Times",
    level=Level.G2,
    approver="one person who knows what the session does: its transaction is rolled back",
    preconditions=(Precondition(text="one session holds up others", fact="blocker.holds_up"),),
    steps=(
        Step(
            text="Read what the session does (${blocker.session}); ${blocker.holds_up} wait for it.",
            commands=(
                psql(
                    "select pid, usename, application_name, state, xact_start, left(query, 200) as query "
                    "from pg_stat_activity where ${blocker.session}"
                ),
            ),
        ),
        Step(
            text="Cancel its statement first. One that is idle in its transaction has none: go on.",
            commands=(psql("select pg_cancel_backend(pid) from pg_stat_activity where ${blocker.session}"),),
        ),
        Step(
            text="End it. With another beginning the number was given to another session: nothing is ended then.",
            commands=(
                psql("select pg_terminate_backend(pid) from pg_stat_activity where ${blocker.session}"),
            ),
        ),
    ),
    wrong=(
        Wrong(
            old="SELECT query_start, state, query FROM pg_stat_activity WHERE state = 'active' ...",
            why="What holds up others is most often idle in its transaction, and so was not shown.",
        ),
    ),
)
