"""A migrated database for every test: the product's own templates, which `rules test` clones."""

from remediator.trial.databases import Databases, create_database, private_postgres

__all__ = ["Databases", "create_database", "private_postgres"]
