"""The admin's pages about who may do what, and about what is kept secret."""

from skytrail.security.admin import connections, people, variables  # noqa: F401  # they register
