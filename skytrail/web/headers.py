"""What browsers are told about our pages: load nothing from elsewhere, run nothing in them."""

from __future__ import annotations

from skytrail.rest.headers import Headers

#: Neither `unsafe-inline` nor `unsafe-eval`, for scripts and styles alike: names of DAGs, logs and
#: outputs are other people's text.
PAGES = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; img-src 'self' data:; script-src 'self'; style-src 'self'"
)

#: The admin is a library's; its pages come with a policy of their own or none.
_OTHERS = ("/admin/", "/api/", "/flower/")


class PageHeaders(Headers):
    """Adds the policy to every page of ours, and keeps pages out of shared caches."""

    def policy_of(self, path: str) -> str | None:
        return None if path.startswith(_OTHERS) else PAGES
