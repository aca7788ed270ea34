"""`remediator rbac`: the least rights that the rules in use need, as YAML for `kubectl apply -f -`."""

import argparse
import json

from remediator.cli.commands import Commands
from remediator.cli.configured import add_options, settings_of


def add_commands(commands: Commands) -> None:
    """Add `rbac`."""
    rbac = commands.add_parser(
        "rbac",
        help="print the least Roles that the rules need",
        description="Prints ClusterRole, Roles and bindings with exactly the rights that the loaded rules need under "
        "this ceiling, for `kubectl apply -f -`. It asks nothing of a cluster.",
    )
    add_options(rbac)
    rbac.add_argument(
        "--namespace",
        action="append",
        metavar="NAME",
        help="where it may look and act, repeatable; kubernetes.namespaces of the configuration unless given",
    )
    rbac.add_argument(
        "--service-account",
        default="remediator/remediator-executor",
        metavar="NAMESPACE/NAME",
        help="whom the rights are for; %(default)s unless given",
    )
    rbac.set_defaults(run=_rbac)


def _rbac(args: argparse.Namespace) -> int:
    import yaml

    from remediator.doctor.needed import everywhere, in_a_namespace
    from remediator.domain.least_roles import ServiceAccount, cluster_role, roles
    from remediator.errors import Permanent
    from remediator.rulebook.load import load

    settings = settings_of(args)
    namespaces = args.namespace or settings.kubernetes.namespaces
    home, slash, name = args.service_account.partition("/")
    if not namespaces:
        raise Permanent("name the namespaces: kubernetes.namespaces in remediator.yml, or --namespace")
    if not slash or not home or not name:
        raise Permanent(f"--service-account is NAMESPACE/NAME, not {args.service_account!r}")
    account = ServiceAccount(namespace=home, name=name)
    documents = cluster_role(everywhere(settings), account)
    needed = in_a_namespace(settings, load(settings.rules))
    for namespace in namespaces:
        documents += roles(needed, namespace, account)
    # Through JSON, so that what two documents share is written out in each.
    print(yaml.safe_dump_all(json.loads(json.dumps(documents)), sort_keys=False), end="")
    return 0
