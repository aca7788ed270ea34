"""Asks real guards through a daemon of their own, whose sources can fail for it alone."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import web

from remediator.app import assembled
from remediator.daemon import Daemon
from remediator.domain.answers import GuardAnswer, GuardVerdict
from remediator.domain.change import Change
from remediator.errors import RemediatorError
from remediator.run import Run
from remediator.runbook.ask_guards import ask_guards, refusal
from remediator.runbook.desk import Desk
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import Action
from remediator.sandbox.loopback_server import LoopbackServer
from remediator.step import Guard
from remediator.store.database import DATABASE_ERRORS
from remediator.trial.account import least_account
from tests.proofs.outcomes import Interference, Usual
from tests.support.story import Story

_ORDER = (GuardAnswer.REFUSE, GuardAnswer.UNKNOWN, GuardAnswer.ASK, GuardAnswer.ALLOW)


@dataclass(frozen=True)
class Question:
    """What is asked about, and of a daemon that was started with which settings."""

    run: Run
    change: Change
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came of asking: the guards that stand in the way, by name, and whether the change may be made."""

    word: str
    """The strictest answer, or `raised` when the asking itself failed and nothing can follow from it."""
    against: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    permitted: bool = False
    why: str = ""


class Cable:
    """The way to the database, which can be cut, or left hanging."""

    def __init__(self, dsn: str, folder: Path) -> None:
        found = re.search(r"host=([^&]*)&port=(\d+)", dsn)
        assert found is not None
        self._there = f"{unquote(found[1])}/.s.PGSQL.{found[2]}"
        self._here = str(folder / f".s.PGSQL.{found[2]}")
        self.dsn = dsn.replace(found[1], quote(str(folder), safe=""))
        self._writers: list[asyncio.StreamWriter] = []
        self._flows = asyncio.Event()
        self._flows.set()
        self._cut = False
        self.asked = 0
        """Bytes that went to the database."""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        server = await asyncio.start_unix_server(self._carry, self._here)
        try:
            yield
        finally:
            server.close()
            self._hang_up()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Every connection is lost, and no new one comes about."""
        self._cut = True
        self._hang_up()
        try:
            yield
        finally:
            self._cut = False

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Nothing comes back any more."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    def _hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        from_server, to_server = await asyncio.open_unix_connection(self._there)
        self._writers += [writer, to_server]
        await asyncio.gather(self._copy(reader, to_server, asks=True), self._copy(from_server, writer))

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.asked += len(data) if asks else 0
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


class Asker:
    """One daemon, known to every source by its own credentials."""

    def __init__(self, name: str, story: Story, daemon: Daemon, cable: Cable) -> None:
        self.name, self.cable = name, cable
        self._story, self._daemon = story, daemon

    def desk(self, guards: Sequence[Guard]) -> Desk:
        desk = self._daemon.worker._desk
        kit = desk.kit if desk.kit.rules.loaded_at else replace(desk.kit, rules=self._story.daemon.kit.rules)
        return replace(desk, always_on=tuple(guards), kit=kit)

    async def ask(self, guards: Sequence[Guard], question: Question) -> Answer:
        """What these guards say together, and what the daemon makes of that."""
        run = question.run
        try:
            verdicts = await ask_guards(self.desk(guards), run, question.change)
        except (RemediatorError, *DATABASE_ERRORS) as reason:
            # The worker puts the run back, or its loop begins anew: nothing was decided.
            return Answer("raised", why=repr(reason))
        refused = await refusal(self._story.daemon.worker._desk, run, verdicts, agreed_to=())
        return _answer(verdicts, refused is None)

    async def sources(self, guards: Sequence[Guard], question: Question) -> set[tuple[str, str]]:
        """What these guards ask of the cluster, as `kubernetes` and a path, and whether they ask the database."""
        before = self.cable.asked
        await self.ask(guards, question)
        requests = self._story.emulator.requests
        # What it may do there it asks once a minute: tests/roles/test_own_rights.py breaks that.
        own = "/selfsubjectrulesreviews"
        asked = {
            ("kubernetes", each.path)
            for each in requests
            if each.user == self.name and not each.path.endswith(own)
        }
        return asked | ({("database", "")} if self.cable.asked > before else set())

    @contextmanager
    def kubernetes(self, path: str, action: Action) -> Iterator[Fault]:
        """The API server does this to what this daemon asks for at this path."""

        def only_here(_: Any, user: str) -> bool:
            return user == self.name

        fault = Fault("GET", f"^{re.escape(path)}$", action, when=only_here, times=None)
        self._story.emulator.faults.add(fault)
        try:
            yield fault
        finally:
            self._story.emulator.faults.remove(fault)


class Gate:
    """Stands before a stand-in: remembers who asked for what, and interferes with whom it is told to."""

    def __init__(self, server: LoopbackServer) -> None:
        self.asked: set[tuple[str, str]] = set()
        self._told: dict[tuple[str, str], Interference] = {}
        server.interfere = self._interfere

    async def _interfere(self, request: web.Request, usual: Usual) -> web.StreamResponse:
        who = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.add((who, request.path))
        told = self._told.get((who, request.path))
        return await told(request, usual) if told is not None else await usual(request)

    @contextmanager
    def interfering(self, who: str, path: str, with_: Interference) -> Iterator[None]:
        self._told[(who, path)] = with_
        try:
            yield
        finally:
            del self._told[(who, path)]

    @contextmanager
    def hanging(self, who: str, path: str) -> Iterator[None]:
        """Nobody answers until the end of the block."""
        over = asyncio.Event()

        async def hang(request: web.Request, usual: Usual) -> web.StreamResponse:
            await over.wait()
            return await usual(request)

        with self.interfering(who, path, hang):
            try:
                yield
            finally:
                over.set()


def _answer(verdicts: Sequence[GuardVerdict], permitted: bool) -> Answer:
    words = sorted((each.answer for each in verdicts), key=_ORDER.index)
    return Answer(
        word=str(words[0]) if words else "nothing",
        against=tuple(sorted({each.guard for each in verdicts if not each.allows})),
        caveats=tuple(caveat for each in verdicts for caveat in each.caveats),
        permitted=permitted,
        why="; ".join(each.sentence for each in verdicts if not each.allows),
    )


def _token(folder: Path, name: str) -> Path:
    folder.mkdir()
    token = folder / "token"
    token.write_text(name)
    return token


@asynccontextmanager
async def asker(
    name: str, story: Story, folder: Path, settings: Mapping[str, Any], *, loads_rules: bool = False
) -> AsyncIterator[Asker]:
    """A daemon like the story's, but for these settings and its own credentials and its own way to the database.

    Loading rules takes longer than everything else here: unless it has to, it has those of the story's daemon.
    """
    token = _token(folder, name)
    story.emulator.access.add(least_account(name, name))
    usual = story.daemon.settings
    # The path of a unix socket has at most 107 bytes, which pytest's folders come near to.
    cable = Cable(usual.database_url, folder)
    own = {
        "database_url": cable.dsn,
        "kubernetes": usual.kubernetes.model_copy(
            update={"kubeconfig": story.emulator.kubeconfig(folder / "kubeconfig", token=name)}
        ),
        "alertmanagers": usual.alertmanagers.model_copy(update={"token_file": token}),
        "prometheus": usual.prometheus.model_copy(update={"token_file": token}),
    }
    async with (
        cable.connected(),
        assembled(usual.model_copy(update={**own, **settings}), story.clock) as daemon,
    ):
        if loads_rules or "rules" in settings:
            await daemon.rules.reload()
        yield Asker(name, story, daemon, cable)
