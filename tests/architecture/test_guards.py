"""Every page for staff asks for a permission."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from commonbeat.people.permissions import Permission

STAFF = ("desk", "oversight", "administration", "translating")
# Shows nothing: it leads each role to its own first page.
SIGNPOSTS = frozenset({"desk:home"})


def staff_patterns(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Give the addresses of pages for staff."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from staff_patterns(each, each.namespace or namespace)
        elif namespace in STAFF:
            yield f"{namespace}:{each.name}", each


def test_every_page_for_staff_is_guarded() -> None:
    patterns = list(staff_patterns(get_resolver()))
    assert patterns, "there are pages for staff"
    open_ones = {n for n, p in patterns if not isinstance(getattr(p.callback, "needs", None), Permission)}
    assert open_ones <= SIGNPOSTS


def test_signposts_show_nothing(outsider_client) -> None:
    for name in SIGNPOSTS:
        answer = outsider_client.get(reverse(name))
        assert answer.status_code == 302
        assert answer.content == b""


def test_every_page_for_staff_turns_away_who_is_not_signed_in(client, db) -> None:
    asked = 0
    for name, _pattern in staff_patterns(get_resolver()):
        try:
            address = reverse(name)
        except NoReverseMatch:
            continue
        answer = client.get(address)
        # A page that only takes forms may refuse the method first.
        assert answer.status_code in {302, 405}, name
        asked += 1
    assert asked
