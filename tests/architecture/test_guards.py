"""Every address declares for whom it is: staff by a permission, the others by the list here."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from commonbeat.people.permissions import Permission

STAFF = ("desk", "oversight", "administration", "translating")
# For everybody, signed in or not; what shows no more to one than to another lies in these packages.
EVERYBODY = {
    "public": "commonbeat.web.public.",
    "open": "commonbeat.open.",
    "demo": "commonbeat.web.demo.",
}
# Of the pages of accounts: for who is not signed in. All others turn such a person away.
TO_SIGN_IN = frozenset(
    {
        "account_login",
        "account_logout",  # signs nobody out, and leads away
        "account_inactive",
        "account_signup",
        "account_invitation",
        "mfa_authenticate",  # leads to the log-in unless a password was right a moment ago
        "mfa_login_webauthn",
    }
)
ACCOUNT_OWNERS = ("allauth.", "commonbeat.web.invitation")
# Shows nothing: it leads each role to its own first page.
SIGNPOSTS = frozenset({"desk:home"})


def patterns(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Give every address of the site with the audience that it stands under."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each, each.namespace or namespace)
        else:
            yield namespace, each


def test_every_address_declares_for_whom_it_is() -> None:
    undeclared = []
    for namespace, pattern in patterns(get_resolver()):
        owner = pattern.callback.__module__
        if namespace in STAFF:
            declared = isinstance(getattr(pattern.callback, "needs", None), Permission) or (
                f"{namespace}:{pattern.name}" in SIGNPOSTS
            )
        elif namespace in EVERYBODY:
            # Neither a page for staff under a public address, nor one that says it is for staff.
            declared = f"{owner}.".startswith(EVERYBODY[namespace]) and not hasattr(pattern.callback, "needs")
        else:
            declared = namespace == "" and owner.startswith(ACCOUNT_OWNERS)
        if not declared:
            undeclared.append(f"{namespace}:{pattern.name} ({owner})")
    assert undeclared == []


def test_the_pages_of_accounts_know_who_is_signed_in(client, db) -> None:
    names = {str(p.name) for namespace, p in patterns(get_resolver()) if namespace == ""}
    assert names >= TO_SIGN_IN
    for name in names - TO_SIGN_IN:
        try:
            address = reverse(name)
        except NoReverseMatch:
            address = reverse(name, kwargs={"pk": 1})
        answer = client.get(address)
        assert answer.status_code in {302, 405}, name
        assert answer.status_code == 405 or answer["Location"].startswith(reverse("account_login")), name
        assert client.post(address)["Location"].startswith(reverse("account_login")), name


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
