import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.screening.findings import Finding
from commonbeat.screening.screen import MARK, draft, redact, screen

LANGUAGES = ("en", "sq", "ar")
# What a gazetteer would hold, folded.
KNOWN = frozenset({"prizren", "upper bazaar", "green hill"})

HELD = [
    ("Call me on 044 123 456 please", "phone"),
    ("+383 44 123 456", "phone"),
    ("my number: +38344123456.", "phone"),
    ("00383-44-123-456", "phone"),
    ("(038) 123 456", "phone"),
    ("044/123-456", "phone"),
    ("044.12.34.56", "phone"),
    ("0 4 4 1 2 3 4 5 6", "phone"),
    ("0-4-4-1-2-3-4-5-6", "phone"),
    ("telefoni im ٠٤٤ ١٢٣ ٤٥٦", "phone"),
    ("رقمي ٠٤٤١٢٣٤٥٦ اتصل", "phone"),
    ("call +44 20 7946 0958 tonight", "phone"),
    ("he is on +1 (212) 555-0199", "phone"),
    ("zero four four one two three four five six", "phone"),
    ("zero katër katër një dy tre 4 5 6", "phone"),
    ("in 2019 I lost 044 123 456", "phone"),
    ("38344123456", "phone"),
    ("write to someone@example.org", "email"),
    ("SOMEONE.ELSE+x@mail.example.com!", "email"),
    ("someone at example dot com", "email"),
    ("someone (at) example (dot) org", "email"),
    ("someone[at]example.net", "email"),
    ("someone @ example.com", "email"),
    ("see https://example.org/a?b=c", "link"),
    ("it is at https://maps.app.goo.gl/AbCdEf", "link"),
    ("it is at https://maps.google.com/?q=42.6612,21.1690", "place"),
    ("hxxp://example.org", "link"),
    ("www.example.org", "link"),
    ("it is all on example.com now", "link"),
    ("photos on sub.example.co.uk/page", "link"),
    ("t.me/somechannel", "link"),
    ("wa.me/38344123456", "link"),
    ("his profile is @some_handle", "link"),
    ("example dot com", "link"),
    ("bit.ly/3abc", "link"),
    ("the car was 01-123-AB", "plate"),
    ("01 123 AB drove off", "plate"),
    ("a white van, 01123AB", "plate"),
    ("a golf with 01-123-ab", "plate"),
    ("old plate 123-KS-456", "plate"),
    ("Albanian car AA 123 BB", "plate"),
    ("tagged AA123AT", "plate"),
    ("a bus SK-1234-AB from Skopje", "plate"),
    ("Belgrade plates BG 123-AB", "plate"),
    ("plate number 4711 xy", "plate"),
    ("targa 123 ab", "plate"),
    ("لوحة 1234", "plate"),
    ("السيارة أ ب ج 1234", "plate"),
    ("He is a thief", "accusation"),
    ("THIEVES everywhere", "accusation"),
    ("my neighbour is a drug dealer", "accusation"),
    ("the mayor is corrupt", "accusation"),
    ("everyone knows he did it", "accusation"),
    ("he's the rapist's brother", "accusation"),
    ("a t h i e f lives here", "accusation"),
    ("th\u200bief", "accusation"),
    ("Ai është hajdut", "accusation"),
    ("hajdutët e lagjes", "accusation"),
    ("përdhunuesi banon këtu", "accusation"),
    ("PERDHUNUES", "accusation"),
    ("ai shet droge ne shkolle", "accusation"),
    ("kryetari merr ryshfet", "accusation"),
    ("vrasësi është i lirë", "accusation"),
    ("هذا الرجل لص", "accusation"),
    ("اللص يسكن هنا", "accusation"),
    ("وحرامي كبير", "accusation"),
    ("هو مُغْتَصِب", "accusation"),
    ("جاري تاجر مخدرات", "accusation"),
    ("الموظف مرتشي", "accusation"),
    ("هو مجـــرم", "accusation"),
    ("044\u200b123\u200b456", "phone"),
    ("0\u200d4\u200d4 1\u20602\u20603 456", "phone"),
    ("044\n123\n456", "phone"),
    ("0\n4\n4\n1\n2\n3\n4\n5\n6", "phone"),
    ("𝟎𝟒𝟒 𝟏𝟐𝟑 𝟒𝟓𝟔", "phone"),
    ("a@b。com", "email"),
    ("someone＠example．com", "email"),
    ("ｗｗｗ．example．org", "link"),
    ("0l-234-AB", "plate"),
    ("O1-234-AB", "plate"),
    ("01-23O-AB", "plate"),
    ("АВ 123 ЕК", "plate"),
    ("Arben Hoxha stole it", "accusation"),
    ("Arben Hoxha from the corner stole my bike", "accusation"),
    ("Yesterday Arben stole it", "accusation"),
    ("he then stole my bike", "accusation"),
    ("my neighbour stole my bike", "accusation"),
    ("I was robbed by Arben Hoxha", "accusation"),
    ("she was beaten, he beat her", "accusation"),
    ("Mira Hoxha was raped", "accusation"),
    ("Arben Hoxha killed a dog", "accusation"),
    ("Arben Hoxha ma vodhi biçikletën", "accusation"),
    ("ma vodhi biçikletën Arben Hoxha", "accusation"),
    ("fqinji më rrahu", "accusation"),
    ("جاري سرق دراجتي", "accusation"),
    ("tһе thіef", "accusation"),
    ("It was Mr Smithson from the corner", "name"),
    ("a man named Exampleson shouted", "name"),
    ("e bëri zoti Shembulli", "name"),
    ("السيد فلان هو السبب", "name"),
    ("The street light at 12 Main Street is broken.", "place"),
    ("The place is 42.380123, 20.430123.", "place"),
    ("42.38, 20.43", "place"),
    ("42.380123 20.430123", "place"),
    ("House number 45/7, flat 12, floor 3.", "place"),
    ("Rruga e Dëshmorëve nr. 15, kati 2.", "place"),
    ("LIGHT lamp out 42.6612, 21.1690", "place"),
    ("lamp out 42,6612 21,1690", "place"),
    ("at 42.6612N 21.1690E", "place"),
    ("at 42°39'40\"N 21°10'08\"E", "place"),
    ("geo:42.6612,21.1690", "place"),
    ("ndriçimi ٤٢٫٦٦١٢، ٢١٫١٦٩٠ fikur", "place"),
    ("lat 42.6612 lon 21.1690", "place"),
    ("before house 24, Willow Street", "place"),
    ("12 Fig Street", "place"),
    ("12 fig street", "place"),
    ("664 Blv. Jean Jacques Dessalines", "place"),
    ("nr. 24", "place"),
    ("Rruga e Re 15", "place"),
    ("Willow Street 12 is dark", "place"),
    ("#12 Rue Nord", "place"),
    ("قرب منزل 24", "place"),
    ("Arben Hoxha parked his car on the pavement.", "name"),
    ("I saw Arben Hoxha there", "name"),
    ("Yesterday Mira Krasniqi fell", "name"),
    ("Më tha Çlirim Hoxha dje", "name"),
    ("We are Jean Baptiste Pierre and others", "name"),
    ("It was on Monday Arben Hoxha left", "name"),
    ("I am Arben and the lamp is dark", "name"),
    ("I'm Arben", "name"),
    ("my name is Arben", "name"),
    ("Unë jam Arbeni nga lagjja", "name"),
    ("quhem Arben", "name"),
    ("اسمي فلان وأسكن هنا", "name"),
    ("In Green Hill lives Arben Hoxha", "name"),
]

HARMLESS = [
    "Rubbish was dumped on 12.05.2024 near the river.",
    "It happened on 12/05/2024 at 14:30.",
    "Since 2024-05-12 nobody has come.",
    "2024-05-12 14:30",
    "12.05.2024 14:30",
    "Between 2019 and 2024 there were 350 cases.",
    "2019-2024",
    "Open from 8.30-16.30 every day.",
    "Bus line 12 stops at 7:45 and 8:15.",
    "It costs 1.250.000 dinars.",
    "It costs 12,50 EUR or 1,250 lek.",
    "They asked 500 000 for the repair.",
    "The pharmacy has no paracetamol 500 mg.",
    "Amoxicillin 250 mg/5 ml is out of stock, also 875 mg.",
    "We need insulin 100 IU 3 ml.",
    "There are 15 bags, 3 tyres and 1 fridge.",
    "A hole of 30 cm x 40 cm, 15 cm deep.",
    "The speed limit is 50 km/h, they drive 120 km/h.",
    "The transformer of 100 kW fails when it is 35 C.",
    "Article 12 of law 04/L-036 says so.",
    "Call 112 or 192.",
    "Room 204, building B, entrance 3.",
    "It is 200 m from the school, on the M9 road.",
    "The E65 road is blocked at km 123.",
    "COVID-19 tests are out of stock.",
    "On 12 MAY 2024 the lamp went out.",
    "From 10 AM to 5 PM.",
    "A bottle of 1.5 l costs 0.80 euro.",
    "Pole number 1234 leans over.",
    "The dog bit a child yesterday.",
    "My bike was stolen last night.",
    "The window was broken and a bag is gone.",
    "Women feel unsafe in the park after dark.",
    "A group shouted at passers-by and threw bottles.",
    "Somebody followed me home from the bus.",
    "The polling station opened 2 hours late.",
    "Voters were turned away without a reason.",
    "Thank you, the officer was kind and helped us.",
    "Meet at the bridge at noon.",
    "The water is brown.It smells too.",
    "I told the school.They did nothing.",
    "We came back e.g. on Monday, i.e. two days later.",
    "Drita e rrugës nuk punon që nga e hëna.",
    "Mbeturina u hodhën pranë lumit më 12.05.2024 në orën 14:30.",
    "Biçikleta ime u zhduk mbrëmë rreth orës 22.",
    "Në farmaci mungon insulina 100 ml.",
    "Rruga ka gropa të mëdha dhe është e rrezikshme.",
    "Një qen endacak kafshoi një fëmijë.",
    "Burri im dhe unë jetojmë këtu prej 20 vjetësh.",
    "ضوء الشارع لا يعمل منذ يوم الاثنين.",
    "ألقيت النفايات قرب النهر يوم ١٢/٠٥/٢٠٢٤ الساعة ١٤:٣٠.",
    "سرقت دراجتي ليلة أمس قرب المدرسة.",
    "لا يوجد دواء في الصيدلية ٥٠٠ ملغ.",
    "الطريق فيه حفر كبيرة وخطيرة على الأطفال.",
    "المدرسة على بعد ٢٠٠ متر من الجسر.",
    "المكان هو ٤٢٫٣٨، ٢٠٫٤٣",
    "There were 30 of us, aged 18-25.",
    "My bicycle was stolen.",
    "Somebody stole my bike.",
    "SOMEBODY STOLE MY BIKE",
    "Somebody stole my bike on Main Street.",
    "Two men stole my phone in Mother Teresa Square.",
    "My brother told me that somebody stole a car.",
    "I was robbed near Green Market.",
    "The Central Pharmacy was robbed last night.",
    "On Monday kids from Green Hill beat a dog.",
    "The Earthquake killed many people in Port Au Prince.",
    "Dikush ma vodhi biçikletën.",
    "Më vodhën biçikletën mbrëmë.",
    "Dikush vodhi një çantë në Rruga Nënë Tereza.",
    "Bags:\n12\n45\n30\n18\n20",
    "10l of oil, 500 AB",
    "A 👨\u200d👩\u200d👧 family was helped.",
    "Lamp posts 3, 4, 5, 6, 7, 8 and 9 are dark.",
    "The lamp in Willow Street is dark.",
    "The drain at Mother Teresa Square is blocked.",
    "A hole on the Green Market side of Old Bridge.",
    "Rruga Nënë Tereza është pa drita.",
    "Në Sheshin Nënë Tereza ka mbeturina.",
    "Shkolla Emin Duraku nuk ka ujë.",
    "The Red Cross gave us water.",
    "The Municipality of Prizren did nothing.",
    "On Monday Prizren had no water.",
    "Since May Prizren has no water.",
    "There is no light in Upper Bazaar.",
    "Rubbish behind Upper Bazaar since Tuesday.",
    "The World Health Organization came.",
    "It is near Skanderbeg Park.",
    "NO WATER IN UPPER QUARTER",
    "I am Albanian and live here.",
    "I am at the school.",
    "5 broken street lights in the park.",
    "There were 3 lamps out in Willow Street.",
    "Bus nr. is not shown at the stop.",
    "Ura e Gurit is closed.",
    "Please Help. Water Needed.",
    "Jam në stacion që në mëngjes.",
    "Pole nr. 24 leans over.",
    "Willow Street at 14:30 had no light.",
]


@pytest.mark.parametrize(("text", "kind"), HELD)
def test_holds(text: str, kind: str) -> None:
    screening = screen(text, region="XK", languages=LANGUAGES)
    assert kind in screening.kinds
    assert screening.holds


@pytest.mark.parametrize("text", HARMLESS)
def test_lets_pass(text: str) -> None:
    screening = screen(text, region="XK", languages=LANGUAGES, known_places=KNOWN)
    assert [(finding.kind, finding.within(text)) for finding in screening.findings] == []


def test_the_tables_are_large_enough() -> None:
    assert len(HELD) >= 60
    assert len(HARMLESS) >= 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call 044 123 456 now", f"Call {MARK} now"),
        ("Write to a.b@example.org.", f"Write to {MARK}."),
        ("Ai është hajdut!", f"Ai është {MARK}!"),
        ("car 01-123-AB, tel. ٠٤٤ ١٢٣ ٤٥٦", f"car {MARK}, tel. {MARK}"),
        ("I saw that Arben Hoxha stole it.", f"I saw that {MARK} it."),
        ("call 044\u200b123\u200b456 now", f"call {MARK} now"),
        ("lamp out 42.6612, 21.1690 again", f"lamp out {MARK} again"),
        ("Then Arben Hoxha left", f"Then {MARK} left"),
        ("the lamp is dark", "the lamp is dark"),
    ],
)
def test_redact_takes_out_just_the_findings(text: str, expected: str) -> None:
    clean = redact(text, screen(text, region="XK", languages=LANGUAGES).findings)
    assert clean == expected
    assert not screen(clean, region="XK", languages=LANGUAGES).holds


def test_redact_merges_what_overlaps() -> None:
    findings = [Finding("link", 4, 8), Finding("phone", 2, 6), Finding("email", 5, 6)]
    assert "01234567" not in redact("0123456789", findings)
    assert redact("0123456789", findings).endswith("89")
    assert "67" not in redact("0123456789", findings)


def test_languages_pick_the_lexicon() -> None:
    assert not screen("Ai është hajdut", region="XK", languages=("en",)).holds
    assert screen("Ai është hajdut", region="XK", languages=("sq-XK",)).holds
    assert not screen("Ai është hajdut", region="XK", languages=("xx", "../en")).holds


@given(st.text(max_size=300))
def test_any_text_is_screened_and_findings_lie_in_it(text: str) -> None:
    for finding in screen(text, region="XK", languages=LANGUAGES).findings:
        assert 0 <= finding.start < finding.end <= len(text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_surroundings_do_not_hide_a_number(before: str, after: str) -> None:
    text = f"{before}\n044 123 456\n{after}"
    assert "phone" in screen(text, region="XK", languages=LANGUAGES).kinds


def test_refuses_what_it_would_not_look_at() -> None:
    with pytest.raises(ValueError, match="too long"):
        screen("a" * 100_001, region="XK", languages=LANGUAGES)


@pytest.mark.parametrize(
    "text",
    [
        "a " * 15_000,
        "1 " * 15_000,
        "044 123 456 " * 2_500,
        "a.b" * 10_000,
        "@" * 30_000,
        "one two " * 3_700,
        "AA 123 " * 4_000,
        "mr Smith " * 3_000,
        "a at " * 6_000,
        "-" * 30_000,
        "word (at) " * 3_000,
        "x" * 30_000,
        "1" * 30_000,
        "a.com/" * 5_000,
    ],
)
def test_thirty_thousand_characters_are_bounded(text: str) -> None:
    start = time.process_time()
    screen(text, region="XK", languages=LANGUAGES)
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LIGHT lamp out 42.6612, 21.1690", "lamp out"),
        ("lamp out at 42.6612, 21.1690 since May", "lamp out at since May"),
        ("lamp out https://maps.google.com/?q=42.6612,21.1690", "lamp out"),
        ("NO WATER", "NO WATER"),
        ("The lamp is dark.", "The lamp is dark."),
    ],
)
def test_a_draft_has_neither_keyword_nor_coordinates(text: str, expected: str) -> None:
    assert draft(text) == expected
