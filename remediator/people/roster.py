"""Everybody who may use the API, however they show who they are."""

from remediator.clients.kube_review import KubeReviewer
from remediator.clock import Clock
from remediator.errors import Permanent, Retryable
from remediator.people.kubernetes import GROUP, RESOURCE, VERBS, KubernetesUsers
from remediator.people.passwords import Passwords
from remediator.people.principal import Principal
from remediator.people.secret_file import Headers, SecretFile, authorization, user_and_password
from remediator.people.web_config import WebConfig
from remediator.settings.load import Settings
from remediator.settings.sections import Role


class People:
    """Recognises people, and knows what each may do."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        reviewer: KubeReviewer | None = None,
    ) -> None:
        """Raises Permanent when two people have one name or one token, when one has no way to show who they are,
        or when web.config.file is wrong. Without a reviewer no user of Kubernetes is known.
        """
        people, config = settings.people, WebConfig.of(settings)
        self.web_config = config
        """What passwords are looked up in, if anything is."""
        self._tokens = [
            (Principal(name=each.name, proof="token"), SecretFile(each.token_file))
            for each in people
            if each.token_file is not None
        ]
        self._with_token = {who.name for who, _ in self._tokens}
        self._roles: dict[str, frozenset[Role]] = {each.name: frozenset(each.roles) for each in people}
        self._passwords = None if config is None else Passwords(config)
        users = settings.kubernetes_people
        self._kubernetes: KubernetesUsers | None = None
        if users is not None and reviewer is not None:
            self._kubernetes = KubernetesUsers(users, reviewer, clock)
        if len(self._roles) != len(people):
            raise Permanent("people: two of them have the same name")
        files = [each.token_file for each in people if each.token_file is not None]
        if len(set(files)) != len(files):
            raise Permanent("people: two of them share a token_file, so nobody could tell them apart")
        if config is None and (without := self._roles.keys() - self._with_token):
            name = min(without)
            raise Permanent(
                f"people: {name} has no token_file, and there is no web.config.file with a password"
            )

    @property
    def challenge(self) -> str:
        """For the WWW-Authenticate header of a 401."""
        basic = 'Basic realm="remediator"' if self._passwords is not None else ""
        return ", ".join(filter(None, ('Bearer realm="remediator"', basic)))

    async def recognise(self, headers: Headers, role: Role) -> Principal | None:
        """Who these headers come from, asking for what takes `role`.

        Raises Retryable when it cannot be told.
        """
        scheme, offered = authorization(headers)
        if scheme == "basic" and self._passwords is not None:
            return await self._by_password(self._passwords, offered)
        if scheme != "bearer":
            return None
        found = self._by_token(offered)
        if found is not None or self._kubernetes is None:
            return found
        return await self._kubernetes.recognise(offered, role)

    async def holds(self, who: Principal, role: Role) -> bool:
        """Whether somebody who was recognised, now or earlier, still is who they were and has this role.

        Raises Retryable when it cannot be told.
        """
        if who.proof == "kubernetes":
            return self._kubernetes is not None and await self._kubernetes.holds(who, role)
        if who.proof == "password":
            known = self._passwords is not None and self._passwords.knows(who.name)
        else:
            known = who.name in self._with_token
        return known and role in self._roles.get(who.name, frozenset())

    def named(self, role: Role) -> str:
        """Who holds a role, in words."""
        names = [name for name, roles in self._roles.items() if role in roles]
        if self._kubernetes is not None:
            names.append(f"whoever may {VERBS[role]} {RESOURCE}.{GROUP} in Kubernetes")
        return ", ".join(names) or f"nobody: give somebody the role {role} under people in remediator.yml"

    def _by_token(self, offered: bytes) -> Principal | None:
        """Every token is compared, so that time tells nothing. A token that two people have belongs to nobody.

        Raises Retryable when it may be the token of somebody whose file cannot be read.
        """
        found: list[Principal] = []
        unreadable: Retryable | None = None
        for who, token in self._tokens:
            try:
                if token.is_secret(offered):
                    found.append(who)
            except Retryable as reason:
                unreadable = reason
        if unreadable is not None and not found:
            raise unreadable
        return found[0] if len(found) == 1 else None

    @staticmethod
    async def _by_password(passwords: Passwords, offered: bytes) -> Principal | None:
        given = user_and_password(offered)
        if given is None:
            return None
        name = given[0].decode("utf-8", "replace")
        admitted = await passwords.admits(name, given[1])
        return Principal(name=name, proof="password") if admitted else None
