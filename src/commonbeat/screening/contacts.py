"""Phone numbers, e-mail addresses and links, also where they are lightly disguised."""

import re
from collections.abc import Iterator, Sequence

import phonenumbers

from commonbeat.screening.findings import Finding

_AT = r"(?:\s*@\s*|\s*[(\[{<]\s*(?:at|ät|et)\s*[)\]}>]\s*|\s+at\s+|\s+(?:آت|ات)\s+)"
_DOT = r"(?:\.|\s*[(\[{<]\s*(?:dot|pike|pikë|\.)\s*[)\]}>]\s*|\s+(?:dot|pike|pikë|نقطة|دوت)\s+)"
_EMAIL = re.compile(rf"(?<![\w.+-])[\w.+-]{{1,64}}{_AT}(?:[\w-]{{1,63}}{_DOT}){{1,4}}[a-z]{{2,12}}\b", re.IGNORECASE)

# Endings that are also everyday words (at, in, is, it, no, so, to) need a scheme, "www." or a path: a missing
# space after a full stop is common, and a link without a path that ends so is not.
_ENDINGS = (
    "com|net|org|info|biz|edu|gov|mil|io|co|eu|app|dev|xyz|online|site|store|shop|club|link|live|news|tv|top|icu|page"
    "|chat|social|me|ly|gl|gg|al|mk|rs|ba|hr|bg|gr|tr|de|ch|fr|es|nl|be|se|uk|us|ca|au|ru|ua|pl|ro|hu|cz|si|sk"
    "|eg|sa|ae|sy|iq|jo|lb|ps|tn|ma|dz|ye|qa|kw|bh|om|ir|pk|ke|ng|gh|za|ht|mx|br|ar|cl|pe|jp|cn|kr|id|ph"
)
_LINK = re.compile(
    rf"""
    (?: \b(?:https?|hxxps?|ftp|tg|whatsapp|viber|mailto|tel|sms)\s?:(?://)?\S+
      | \bwww\s?\.\s?[\w-]+\S*
      | (?<![\w@.-])(?:[\w-]{{1,63}}\.){{1,5}}(?:{_ENDINGS})(?![\w-])(?:[/?\#:]\S*)?
      | (?<![\w@.-])(?:[a-z0-9-]{{2,63}}\.){{1,5}}[a-z]{{2,12}}/\S+
      | (?<![\w@.-])(?:[\w-]{{1,63}}(?:\s*[(\[{{]\s*(?:dot|\.|pikë?)\s*[)\]}}]\s*|\s+dot\s+)){{1,3}}(?:{_ENDINGS})\b
      | \bt\s?\.\s?me\s?/\s?\S+
      | \bwa\s?\.\s?me\s?/\s?\S+
      | (?<![\w@./])@[A-Za-z0-9_][A-Za-z0-9_.]{{2,30}}
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)

# Seven to fifteen digits with whatever people put between them, but not across a line or a sentence.
_BETWEEN = r"[ \t\u00a0().\-‐-―−/_*•·]{0,3}"
_DIGIT_RUN = re.compile(rf"(?<![\w,])(?:\+|\(\+?)?\d(?:{_BETWEEN}\d){{6,17}}(?!\w)")
# A number with a digit, or a few, to each line: only as it is dialled, for lists of counts stand like this too.
_BROKEN = r"[ \t\u00a0().\-‐-―−/_*•·]{0,3}(?:\n[ \t\u00a0().\-‐-―−/_*•·]{0,3}){0,2}"
_BROKEN_RUN = re.compile(rf"(?<![\w,.])(?:\+|\(\+?)?\d(?:{_BROKEN}\d){{6,17}}(?!\w)")
_NOT_PHONE = re.compile(
    r"""
    (?: (?:0?[1-9]|[12]\d|3[01])\s?[./-]\s?(?:0?[1-9]|1[0-2])\s?[./-]\s?(?:(?:19|20)\d\d|\d\d)(?:\D+\d{1,2}(?:\D\d\d)?)?
      | (?:19|20)\d\d\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,2}(?:\D+\d{1,2}(?:\D\d\d)?)?
      | (?:19|20)\d\d(?:\s?[-–/ ]\s?(?:19|20)\d\d)+
      | -?[1-9]\d{0,2}\.\d{3,}(?:\s+-?\d{1,3}\.\d{3,})?      # coordinates
      | [1-9]\d{0,2}(?:[. ]000)+ | [1-9]\d{0,2}(?:\.\d{3})+\.\d{2}   # amounts
      | \d{1,2}[.]\d{2}\s?[-–]\s?\d{1,2}[.]\d{2}             # opening hours
    )
    """,
    re.VERBOSE,
)

_NUMBER_WORDS = (
    "zero|oh|one|two|three|four|five|six|seven|eight|nine"
    "|zero|nje|një|dy|tre|tri|kater|katër|pese|pesë|gjashte|gjashtë|shtate|shtatë|tete|tetë|nente|nëntë"
    "|صفر|واحد|اثنان|اثنين|ثلاثة|اربعة|أربعة|خمسة|ستة|سبعة|ثمانية|تسعة"
)
_SPELLED = re.compile(
    rf"\b(?:(?:{_NUMBER_WORDS}|\d{{1,3}})[\s,.-]{{1,3}}){{5,}}(?:{_NUMBER_WORDS}|\d{{1,3}})\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]")


def find_emails(text: str) -> list[Finding]:
    """Find e-mail addresses, also "name at example dot com"."""
    if "@" not in text and not re.search(r"\bat\b|آت|ات|ät|\bet\b", text, re.IGNORECASE):
        return []
    return [
        Finding("email", match.start(), match.end()) for match in _EMAIL.finditer(text) if _is_address(match.group())
    ]


def find_links(text: str, emails: Sequence[Finding]) -> list[Finding]:
    """Find links, bare domains, messenger links and @handles outside the addresses already found."""
    return [
        Finding("link", match.start(), match.start() + len(match.group().rstrip(".,;:!?)\"'»”")))
        for match in _LINK.finditer(text)
        if not _overlaps(match.start(), match.end(), emails)
    ]


def find_phones(text: str, region: str, others: Sequence[Finding]) -> list[Finding]:
    """Find phone numbers as dialled in the region or abroad, also with spaces, dots or words between digits."""
    found = [
        Finding("phone", start, end)
        for start, end in _phone_spans(text, region)
        if not any(other.kind == "plate" and other.start <= start and end <= other.end for other in others)
    ]
    merged: list[Finding] = []
    for finding in sorted(found, key=lambda finding: finding.start):
        if merged and finding.start < merged[-1].end:
            merged[-1] = Finding("phone", merged[-1].start, max(merged[-1].end, finding.end))
        else:
            merged.append(finding)
    return merged


def _phone_spans(text: str, region: str) -> Iterator[tuple[int, int]]:
    for match in _SPELLED.finditer(text):
        if _WORD.search(match.group()):
            yield match.span()
    for match in _BROKEN_RUN.finditer(text) if "\n" in text else ():
        run = match.group()
        if "\n" in run and run.lstrip("(").startswith(("+", "0")) and _is_phone(run, region):
            lines = [line.strip() for line in run.split("\n")]
            if not any(_NOT_PHONE.fullmatch(line) for line in lines):
                yield match.span()
    for match in _DIGIT_RUN.finditer(text):
        run = match.group()
        if _NOT_PHONE.fullmatch(run):
            continue
        if _is_phone(run, region):
            yield match.span()
            continue
        # A number beside another one ("in 2019 044 123 456"): the library finds it inside the run.
        for inner in phonenumbers.PhoneNumberMatcher(run, region, phonenumbers.Leniency.VALID, max_tries=20):
            if not _NOT_PHONE.fullmatch(inner.raw_string):
                yield match.start() + inner.start, match.start() + inner.end


def _is_phone(run: str, region: str) -> bool:
    digits = re.sub(r"\D", "", run)
    international = "+" in run or digits.startswith("00")
    try:
        number = phonenumbers.parse(("+" + digits.removeprefix("00")) if international else digits, region)
    except phonenumbers.NumberParseException:
        return False
    if international:
        return bool(phonenumbers.is_possible_number(number))
    # A leading zero or a digit at a time is how numbers are given, even in a range that the table lacks.
    dialled = digits.startswith("0") and not digits.startswith("000") and 8 <= len(digits) <= 12
    return bool(dialled or phonenumbers.is_valid_number(number) or _is_foreign(digits))


def _is_foreign(digits: str) -> bool:
    if not 11 <= len(digits) <= 15:
        return False
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse("+" + digits, None)))
    except phonenumbers.NumberParseException:
        return False


def _is_address(text: str) -> bool:
    # "at the shop. com…" needs a real ending when the sign is a word.
    return "@" in text or re.search(rf"(?:{_ENDINGS})$", text, re.IGNORECASE) is not None


def _overlaps(start: int, end: int, findings: Sequence[Finding]) -> bool:
    return any(start < finding.end and finding.start < end for finding in findings)
