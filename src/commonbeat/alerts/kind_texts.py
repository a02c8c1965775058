"""The texts that an officer begins with, per kind and language: what, where, what to do; in plain words.

They ask for behaviour, objects, places and times, never for looks that fit a whole group of people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Template(NamedTuple):
    """Texts with gaps in braces."""

    headline: str
    description: str
    instruction: str


TEXTS: Mapping[str, Mapping[str, Template]] = {
    "missing_child": {
        "en": Template(
            "A child is missing: {place}",
            "A child has been missing since {since}: {person}. Last seen at {place}.",
            "Look around where you are, in yards and cars, too. Do not go after anybody. "
            "If you see the child, stay near and call the emergency number.",
        ),
        "sq": Template(
            "Një fëmijë është zhdukur: {place}",
            "Një fëmijë mungon që nga {since}: {person}. Është parë për herë të fundit te {place}.",
            "Shikoni përreth, edhe në oborre e vetura. Mos ndiqni askënd. "
            "Nëse e shihni fëmijën, qëndroni afër dhe thirrni numrin e emergjencës.",
        ),
        "ar": Template(
            "طفل مفقود: {place}",
            "طفل مفقود منذ {since}: {person}. شوهد آخر مرة في {place}.",
            "انظروا حولكم، وفي الساحات والسيارات أيضا. لا تلاحقوا أحدا. "
            "إذا رأيتم الطفل فابقوا قريبين منه واتصلوا برقم الطوارئ.",
        ),
    },
    "missing_person": {
        "en": Template(
            "A person is missing: {place}",
            "A person has been missing since {since}: {person}. Last seen at {place}.",
            "If you see the person, speak to them calmly and tell us where you are.",
        ),
        "sq": Template(
            "Një person është zhdukur: {place}",
            "Një person mungon që nga {since}: {person}. Është parë për herë të fundit te {place}.",
            "Nëse e shihni personin, flisni me qetësi dhe na tregoni ku jeni.",
        ),
        "ar": Template(
            "شخص مفقود: {place}",
            "شخص مفقود منذ {since}: {person}. شوهد آخر مرة في {place}.",
            "إذا رأيتم الشخص فكلموه بهدوء وأخبرونا أين أنتم.",
        ),
    },
    "danger": {
        "en": Template(
            "Danger at {place}",
            "{what} at {place}.",
            "Keep away. If you are there, go indoors, close doors and windows, and stay away from them.",
        ),
        "sq": Template(
            "Rrezik te {place}",
            "{what} te {place}.",
            "Mos u afroni. Nëse jeni aty, hyni brenda, mbyllni dyert e dritaret dhe rrini larg tyre.",
        ),
        "ar": Template(
            "خطر في {place}",
            "{what} في {place}.",
            "ابتعدوا عن المكان. إن كنتم هناك فادخلوا إلى الداخل وأغلقوا الأبواب والنوافذ وابتعدوا عنها.",
        ),
    },
    "look_out": {
        "en": Template(
            "Look out for: {thing}",
            "We are looking for {thing}. Last seen at {place}, {since}.",
            "If you see it, do not touch it and do not stop anybody. Tell us where and when.",
        ),
        "sq": Template(
            "Kini kujdes për: {thing}",
            "Kërkojmë {thing}. Është parë për herë të fundit te {place}, {since}.",
            "Nëse e shihni, mos e prekni dhe mos ndaloni askënd. Na tregoni ku dhe kur.",
        ),
        "ar": Template(
            "انتبهوا إلى: {thing}",
            "نبحث عن {thing}. شوهد آخر مرة في {place}، {since}.",
            "إذا رأيتموه فلا تلمسوه ولا توقفوا أحدا. أخبرونا أين ومتى.",
        ),
    },
    "road": {
        "en": Template(
            "Road closed: {place}",
            "{place} is closed: {what}.",
            "Take another way. Leave room for rescue vehicles.",
        ),
        "sq": Template(
            "Rrugë e mbyllur: {place}",
            "{place} është e mbyllur: {what}.",
            "Merrni rrugë tjetër. Lironi kalimin për mjetet e shpëtimit.",
        ),
        "ar": Template(
            "طريق مغلق: {place}",
            "{place} مغلق: {what}.",
            "اسلكوا طريقا آخر. اتركوا مجالا لسيارات الإنقاذ.",
        ),
    },
    "water": {
        "en": Template(
            "Do not drink the tap water: {place}",
            "The tap water in {place} may not be clean since {since}: {what}.",
            "Boil it for three minutes before you drink it, cook with it or brush your teeth.",
        ),
        "sq": Template(
            "Mos pini ujë nga rubineti: {place}",
            "Uji i rubinetit në {place} mund të mos jetë i pastër që nga {since}: {what}.",
            "Zieni ujin tri minuta para se ta pini, të gatuani me të ose të lani dhëmbët.",
        ),
        "ar": Template(
            "لا تشربوا ماء الصنبور: {place}",
            "قد لا يكون ماء الصنبور في {place} نظيفا منذ {since}: {what}.",
            "اغلوا الماء ثلاث دقائق قبل شربه أو الطبخ به أو تنظيف الأسنان.",
        ),
    },
    "weather": {
        "en": Template(
            "Dangerous weather: {place}",
            "{what} is expected in {place} until {until}.",
            "Stay indoors if you can. Keep away from rivers, trees and loose roofs.",
        ),
        "sq": Template(
            "Mot i rrezikshëm: {place}",
            "Në {place} pritet {what} deri {until}.",
            "Rrini brenda nëse mundeni. Qëndroni larg lumenjve, pemëve dhe çative të lirshme.",
        ),
        "ar": Template(
            "طقس خطير: {place}",
            "يتوقع {what} في {place} حتى {until}.",
            "ابقوا في الداخل إن استطعتم. ابتعدوا عن الأنهار والأشجار والأسقف غير الثابتة.",
        ),
    },
    "power": {
        "en": Template(
            "No electricity: {place}",
            "There is no electricity in {place}: {what}. It is expected back {until}.",
            "Keep away from fallen lines. Look in on neighbours who need electric devices.",
        ),
        "sq": Template(
            "Pa rrymë: {place}",
            "Nuk ka rrymë në {place}: {what}. Pritet të kthehet {until}.",
            "Qëndroni larg telave të rënë. Shikoni fqinjët që kanë nevojë për pajisje elektrike.",
        ),
        "ar": Template(
            "انقطاع الكهرباء: {place}",
            "الكهرباء مقطوعة في {place}: {what}. يتوقع أن تعود {until}.",
            "ابتعدوا عن الأسلاك الساقطة. تفقدوا الجيران الذين يحتاجون إلى أجهزة كهربائية.",
        ),
    },
    "rumour_correction": {
        "en": Template(
            "Not true: {wrong}",
            "It is being said that {wrong}. That is not true. What is true: {right}.",
            "Please do not pass it on. If somebody sent it to you, send them this.",
        ),
        "sq": Template(
            "Nuk është e vërtetë: {wrong}",
            "Po thuhet se {wrong}. Kjo nuk është e vërtetë. E vërteta: {right}.",
            "Ju lutemi mos e përhapni. Nëse ju ka ardhur nga dikush, dërgojani këtë.",
        ),
        "ar": Template(
            "غير صحيح: {wrong}",
            "يقال إن {wrong}. هذا غير صحيح. الصحيح: {right}.",
            "الرجاء عدم نشرها. إن أرسلها إليكم أحد فأرسلوا إليه هذا.",
        ),
    },
    "all_clear": {
        "en": Template(
            "The danger is over: {place}",
            "{what} at {place} is over.",
            "You can go out again. Thank you for your patience.",
        ),
        "sq": Template(
            "Rreziku ka kaluar: {place}",
            "{what} te {place} ka përfunduar.",
            "Mund të dilni përsëri. Faleminderit për durimin.",
        ),
        "ar": Template(
            "زال الخطر: {place}",
            "{what} في {place}: انتهى الأمر.",
            "يمكنكم الخروج مجددا. شكرا لصبركم.",
        ),
    },
    "other": {
        "en": Template("{what}: {place}", "{what} at {place}, {since}.", ""),
        "sq": Template("{what}: {place}", "{what} te {place}, {since}.", ""),
        "ar": Template("{what}: {place}", "{what} في {place}، {since}.", ""),
    },
}
