"""Phone numbers in one form."""

import re

import phonenumbers

from commonbeat.foundation.text import ascii_digits

_BARE_INTERNATIONAL = re.compile(r"[1-9][0-9]{9,14}")


def normalise_phone(text: str, region: str) -> str | None:
    """Return a number as E.164 ("+38344123456"), read as if dialled in the region ("XK"), or None."""
    plain = ascii_digits(text.strip())
    if not 3 <= len(plain) <= 60:
        return None
    # Gateways often leave the plus out: 38344123456. It comes first for the region's own country code, because
    # some national plans are loose enough to take the whole for a local number.
    digits = re.sub(r"[\s().\-/]", "", plain)
    bare = _parse("+" + digits, region) if _BARE_INTERNATIONAL.fullmatch(digits) else None
    if bare is not None and not phonenumbers.is_valid_number(bare):
        bare = None
    if bare is not None and bare.country_code == phonenumbers.country_code_for_region(region):
        return _e164(bare)
    number = _parse(plain, region)
    if number is not None and phonenumbers.is_valid_number(number):
        return _e164(number)
    if bare is not None:
        return _e164(bare)
    # Written with its country code, a number of a new range is taken although the table does not know it yet.
    if number is not None and plain.startswith("+"):
        reason = phonenumbers.is_possible_number_with_reason(number)
        if reason == phonenumbers.ValidationResult.IS_POSSIBLE:
            return _e164(number)
    return None


def mask(number: str) -> str:
    """Return a number with all but its country code and last two digits hidden."""
    parsed = _parse(number, "ZZ")
    if parsed is None or not number.startswith("+"):
        return "•" * 6
    return f"+{parsed.country_code} ••••• {number[-2:]}"


def _parse(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return None if number.extension else number


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
