"""The command words, in every language of the house, with the slips that thumbs make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from rapidfuzz.distance import OSA

from commonbeat.foundation.ids import find_reference
from commonbeat.foundation.text import ascii_digits
from commonbeat.topics.queries import keyword_key


class Word(Enum):
    """Name what a command asks for."""

    STOP = auto()
    START = auto()
    HELP = auto()
    MENU = auto()
    STATUS = auto()
    LANGUAGE = auto()
    # Erase a report of mine, or all that you know of me.
    ERASE = auto()
    CANCEL = auto()
    # The answer to "was it you who left this number?"; thanks, where nobody asked.
    YES = auto()
    # Nothing is asked of us: a greeting gets the help, thanks get nothing.
    GREETING = auto()
    THANKS = auto()


@dataclass(frozen=True, slots=True)
class Command:
    """A command, with what it was given."""

    word: Word
    # Language that the word belongs to; empty where it is said in all.
    language: str = ""
    # STATUS, ERASE: the reference, empty for one's latest. LANGUAGE: the code, empty to be asked. ERASE: ALL.
    argument: str = ""
    # STATUS, ERASE: something like a reference was written, and is none.
    misread: bool = False


# A command is the whole message. "STOP" leaves; "stop the dumping at the bridge" is a report.
_WORDS: dict[Word, dict[str, str]] = {
    Word.STOP: {
        "": "stop|stopp|stpo|sotp|tsop|stop stop|stop please|please stop|stop all|stopall|stop sms|stop it|unsubscribe"
        "|unsubcribe|optout|opt out|quit",
        "sq": "ndal|ndalo|ndalu|ndalni|ndaloni|mos me shkruani|mos me dergoni|mjaft|crregjistrohu|cregjistrohu",
        "ar": "توقف|توقفوا|قف|وقف|أوقف|أوقفوا|إيقاف|ايقاف الرسائل|أوقف الرسائل|ستوب|الغاء الاشتراك|كفى",
    },
    Word.START: {
        "": "start|strat|satrt|sart|unstop|subscribe",
        "sq": "fillo|fillon|nis|nise|rifillo|fillo prape|abonohu",
        "ar": "ابدأ|بدء|ابدا|استئناف|اشتراك|ستارت",
    },
    Word.HELP: {
        "": "info|sos",
        "en": "help|hlep|hepl|halp|helpp|help me|help please|please help|pls help|help pls|how"
        "|how does this work|instructions",
        "sq": "ndihme|ndihma|ndime|ndihm|ndihmo|ndihmoni|me ndihmo|me ndihmoni|si funksionon|udhezim|udhezime",
        "ar": "مساعدة|مساعده|المساعدة|ساعدني|ساعدوني|النجدة|تعليمات|هلب",
    },
    Word.MENU: {
        "": "menu|meny|menuja",
        "en": "topics|topic|list|options",
        "sq": "temat|tema|lista|menyja|zgjedhjet e temave",
        "ar": "قائمة|القائمة|مواضيع|المواضيع|منيو",
    },
    Word.STATUS: {
        "": "status|staus|statsu|stauts|sttus|satus|statuss|status status",
        "en": "status of my report|my report|state|my status|report status",
        "sq": "statusi|gjendja|gjendje|statusi i raportit|raporti im|gjendja e raportit",
        "ar": "حالة|الحالة|حالة البلاغ|حالة بلاغي|بلاغي|وضع البلاغ",
    },
    Word.LANGUAGE: {
        "en": "language|languages|langauge|languge|lang|change language",
        "sq": "gjuha|gjuhe|gjuhet|ndrysho gjuhen",
        "ar": "لغة|اللغة|لغات|تغيير اللغة",
    },
    Word.ERASE: {
        "en": "erase|erese|earse|erasse|erase it|erase report|erase my report|erase this|delete|delet|delete it"
        "|delete report|delete my report|delete this",
        "sq": "fshij|fshi|fshije|fshini|fshij raportin|fshije raportin|fshij raportin tim|fshi raportin tim"
        "|fshije raportin tim|fshini raportin tim",
        "ar": "امسح|امسحوا|مسح|احذف|احذفوا|حذف|امسح البلاغ|امسح بلاغي|احذف البلاغ|احذف بلاغي|حذف البلاغ|حذف بلاغي",
    },
    Word.CANCEL: {
        "": "0|00|cancel|cancle|cancell|exit|back",
        "en": "skip|no|none|leave|leave it|i dont know|dont know|don t know|i don t know|no idea|never mind|nevermind"
        "|wrong|wrong place|not there|thats wrong|that s wrong",
        "sq": "anulo|anullo|anulim|jo|mbyll|kapërce|kaloje|lere|nuk e di|se di|s e di|nuk dua|dil|gabim"
        "|vend i gabuar|vendi i gabuar|jo aty",
        "ar": "الغاء|إلغاء|لا|خروج|تخطي|تخطى|لا اعرف|لا أعرف|لا ادري|لا أدري|خطأ|مكان خطأ|المكان خطأ",
    },
    Word.GREETING: {
        "": "test|testing|ping",
        "en": "hi|hello|hey|good morning|good evening|good afternoon|good day|hi there|hello there|are you there"
        "|who are you|who is this|what is this|what is this number|what can i do",
        "sq": "pershendetje|tungjatjeta|tung|miredita|mirdita|mire dita|mirmengjesi|miremengjes|mirembrema|ckemi|alo"
        "|kush jeni|kush je|kush eshte ky|cfare eshte kjo|ckeni ju",
        "ar": "مرحبا|أهلا|اهلا وسهلا|السلام عليكم|سلام عليكم|سلام|صباح الخير|مساء الخير|هلا"
        "|من أنتم|من أنت|ما هذا|ما هذا الرقم",
    },
    Word.YES: {
        "en": "yes|yep|yeah|yess|yes please|yes thanks|yes thank you",
        "sq": "po|po flm|po faleminderit|po ju lutem",
        "ar": "نعم|نعم شكرا|نعم من فضلك",
    },
    Word.THANKS: {
        "": "ok|okay|okey|k|oki",
        "en": "thanks|thank you|thank you very much|thx|many thanks|ok thanks|ok thank you|fine|great|good|ty",
        "sq": "faleminderit|flm|faleminderit shume|rrofsh|mire|ne rregull|dakord|ok flm|ok faleminderit",
        "ar": "شكرا|شكرا جزيلا|شكرا لكم|تمام|حسنا|أوكي|طيب",
    },
}
_LANGUAGE_NAMES = {
    "en": "english|anglisht|anglisht ju lutem|englisht|inglish|الإنجليزية|انجليزي|إنجليزي|انكليزي",
    "sq": "shqip|albanian|shqipe|shqyp|gjuha shqipe|الألبانية|ألباني",
    "ar": "arabic|arabisht|عربي|العربية|عربى|عربية",
}
# What may stand behind ERASE, and what it then stands for.
ALL = "all"
_EVERYTHING = frozenset(
    keyword_key(word)
    for word in (
        "all", "everything", "me", "all of it", "all about me", "everything about me", "gjithcka", "gjithçka",
        "te gjitha", "krejt", "cdo gje", "الكل", "كل شيء", "كل شئ", "كل بياناتي", "بياناتي",
    )
)  # fmt: skip
# Only as what LANGUAGE is given: alone, two letters may be anything.
_LANGUAGE_CODES = {"en": "en", "sq": "sq", "al": "sq", "ar": "ar"}

_COMMANDS: dict[str, tuple[Word, str]] = {
    keyword_key(phrase): (word, language)
    for word, by_language in _WORDS.items()
    for language, phrases in by_language.items()
    for phrase in phrases.split("|")
}
_NAMED: dict[str, str] = {
    keyword_key(phrase): code for code, phrases in _LANGUAGE_NAMES.items() for phrase in phrases.split("|")
}
_LONGEST = 60
_REFERENCE_WORDS, _POLITE_WORDS = 3, 2
# One slip is forgiven from six letters on: shorter words have neighbours that mean something ("stars", "stopt" are
# listed where they are common).
_FORGIVING = 6
_NEW = frozenset(keyword_key(word) for word in ("new", "ri", "i ri", "raport i ri", "new report", "جديد", "بلاغ جديد"))
_HASH = re.compile(r"\s*#\s*[^\W\d_]")
_WRITTEN = re.compile(r"[^\W_]+(?:[^\W_]|[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670'’])*")
# Before these a topic's word begins a sentence.
_JOINING = frozenset(
    map(
        keyword_key,
        "is are was were has had does did will and or isnt eshte jane janë ishte ka kane nuk po u dhe".split(),
    )
)
_LEAVING = frozenset(keyword_key(word) for word in ("cancel", "anulo", "إلغاء"))
_NUMBER = re.compile(r"\W*(\d{1,2})(?:\W+(?=\D)(.*))?\W*", re.DOTALL)


def parse_command(text: str, languages: tuple[str, ...]) -> Command | None:
    """Read a message as a command, or None when it is something that a person tells us."""
    plain = text.strip()
    if len(plain) > _LONGEST:
        return None
    if plain and all(character in "?؟ " for character in plain):
        return Command(Word.HELP)
    key = keyword_key(ascii_digits(plain))
    if not key:
        return None
    if key in _NAMED and _NAMED[key] in languages:
        return Command(Word.LANGUAGE, _NAMED[key], _NAMED[key])
    known = _COMMANDS.get(key) or _near(key)
    if known is not None:
        return Command(*known)
    return _with_argument(plain, key, languages)


def is_new(text: str) -> bool:
    """Tell whether a message says of itself that it is a new report: it begins with NEW or with #."""
    if _HASH.match(text):
        return True
    words = keyword_key(text[:60]).split()
    return any(" ".join(words[:length]) in _NEW for length in (1, 2, 3) if len(words) > length)


def without_new(text: str) -> str:
    """Give what follows the word NEW, or the #, at the beginning of a message; else the message."""
    if _HASH.match(text):
        return text.lstrip("# ")
    words = list(_WRITTEN.finditer(text[:60]))
    for length in (3, 2, 1):
        if len(words) > length and keyword_key(text[: words[length - 1].end()]) in _NEW:
            return after_words(text, length)
    return text


def after_words(text: str, length: int) -> str:
    """Give what follows the first words of a message."""
    words = list(_WRITTEN.finditer(text[:200]))
    return text[words[length - 1].end() :].lstrip(" \n:;,.!-–—#") if 0 < length <= len(words) else text


def without_command_word(text: str, length: int, *, marked: bool = False) -> str:
    """Leave out the topic's words at the beginning where they were a command: in capitals or behind #.

    "DUMP old car" is an old car; "Light is broken", "LIGHT is broken" and "LIGHT IS BROKEN" are sentences.
    """
    words = list(_WRITTEN.finditer(text[:200]))
    if not 0 < length < len(words):
        return text
    rest = text[words[length - 1].end() :].lstrip(" \n:;,.!-–—")
    marked = marked or (text[: words[length - 1].end()].isupper() and rest[:200] != rest[:200].upper())
    is_sentence = keyword_key(words[length].group()) in _JOINING
    return rest if marked and not is_sentence else text


def is_new_alone(text: str) -> bool:
    """Tell whether a message is the word NEW and nothing else."""
    return keyword_key(text[:_LONGEST]) in _NEW


def leaves_question(text: str) -> bool:
    """Tell whether a message leaves a question of the desk, to which "0", "no" and "ok" are answers."""
    return keyword_key(text[:_LONGEST]) in _LEAVING


def number_in(text: str) -> tuple[int, str] | None:
    """Read the number that begins a message, and what follows it; digits of any script."""
    match = _NUMBER.fullmatch(ascii_digits(text[:400]))
    if match is None:
        return None
    rest = text[match.start(2) :].strip() if match[2] else ""
    return int(match[1]), rest


def _near(key: str) -> tuple[Word, str] | None:
    if " " in key or len(key) < _FORGIVING:
        return None
    near = {
        found
        for word, found in _COMMANDS.items()
        if len(word) >= _FORGIVING and word[0] == key[0] and OSA.distance(word, key, score_cutoff=1) <= 1
    }
    return near.pop() if len(near) == 1 else None


def _with_argument(plain: str, key: str, languages: tuple[str, ...]) -> Command | None:
    first, _space, rest = key.partition(" ")
    known = _COMMANDS.get(first) or _near(first)
    if known is None or not rest:
        return None
    word, language = known
    if word is Word.LANGUAGE:
        code = _NAMED.get(rest) or _LANGUAGE_CODES.get(rest)
        return Command(word, code, code) if code in languages and code else None
    if word is Word.ERASE and rest in _EVERYTHING:
        return Command(word, language, ALL)
    if word in (Word.STATUS, Word.ERASE):
        reference = find_reference(plain)
        if reference is not None:
            # "STATUS KX7M-4QXP-2R please" asks; a sentence after it is something that we are told.
            asks = len(rest.split()) <= _REFERENCE_WORDS + _POLITE_WORDS
            return Command(word, language, reference) if asks else None
        # "STATUS 1234", "STATUS KX7M 4QXP 2Z"; but "status light 12 broken" is a report.
        parts = rest.split()
        has_digits = [any(character.isdigit() for character in part) for part in parts]
        is_like = any(has_digits) and 8 <= len("".join(parts)) <= 12 and len(parts) <= _REFERENCE_WORDS
        if rest.isascii() and (all(has_digits) or is_like):
            return Command(word, language, misread=True)
    return None
