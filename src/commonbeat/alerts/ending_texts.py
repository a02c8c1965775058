"""What is said when an alert is over, unless an officer writes something better; data, pure."""

from __future__ import annotations

from collections.abc import Mapping

from commonbeat.alerts.kind_texts import Template

# outcome → language → texts; {headline} is that of the alert which ends.
ENDINGS: Mapping[str, Mapping[str, Template]] = {
    "over": {
        "en": Template("It is over: {headline}", "This alert has ended. You need to do nothing more. Thank you.", ""),
        "sq": Template(
            "Ka përfunduar: {headline}", "Ky njoftim ka përfunduar. Nuk ka më çka të bëni. Faleminderit.", ""
        ),
        "ar": Template("انتهى الأمر: {headline}", "انتهى هذا التنبيه. لا حاجة لفعل أي شيء بعد الآن. شكرا.", ""),
    },
    "found_safe": {
        "en": Template("Found safe: {headline}", "The person was found and is safe. Thank you to all who looked.", ""),
        "sq": Template(
            "U gjet shëndoshë: {headline}", "Personi u gjet dhe është mirë. Faleminderit të gjithëve që kërkuan.", ""
        ),
        "ar": Template("عثر عليه سالما: {headline}", "عثر على الشخص وهو بخير. شكرا لكل من بحث.", ""),
    },
    "found": {
        "en": Template("Found: {headline}", "The search has ended. Thank you to all who looked.", ""),
        "sq": Template("U gjet: {headline}", "Kërkimi ka përfunduar. Faleminderit të gjithëve që kërkuan.", ""),
        "ar": Template("تم العثور: {headline}", "انتهى البحث. شكرا لكل من بحث.", ""),
    },
    "solved": {
        "en": Template("Put right: {headline}", "What this alert was about has been put right. Thank you.", ""),
        "sq": Template("U zgjidh: {headline}", "Ajo për të cilën ishte ky njoftim është zgjidhur. Faleminderit.", ""),
        "ar": Template("تم الحل: {headline}", "تمت معالجة ما كان هذا التنبيه عنه. شكرا.", ""),
    },
    "mistake": {
        "en": Template("Taken back: {headline}", "This alert was a mistake. Please disregard it. We are sorry.", ""),
        "sq": Template(
            "U tërhoq: {headline}", "Ky njoftim ishte gabim. Ju lutemi mos e merrni parasysh. Na vjen keq.", ""
        ),
        "ar": Template("تم السحب: {headline}", "كان هذا التنبيه خطأ. الرجاء عدم الأخذ به. نعتذر.", ""),
    },
}

# After these nobody need be woken: there is nothing to fear, and nothing to do.
GOOD_NEWS = frozenset({"found_safe", "found", "solved"})


def ending_of(outcome: str, language: str, headline: str) -> Template:
    """Give what is said of an end in a language, English where there is nothing."""
    texts = ENDINGS[outcome]
    template = texts.get(language) or texts["en"]
    return template._replace(headline=template.headline.replace("{headline}", headline))
