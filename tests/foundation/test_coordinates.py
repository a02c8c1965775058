import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation.coordinates import parse_coordinates, without_coordinates
from commonbeat.foundation.map_links import unreadable_place

HERE = (42.38, 20.43)

ACCEPTED = [
    ("42.38, 20.43", HERE),
    ("42.38,20.43", HERE),
    ("42.38 20.43", HERE),
    ("(42.38; 20.43)", HERE),
    ("42.38/20.43", HERE),
    ("+42.38 +20.43", HERE),
    ("42,38 20,43", HERE),
    ("42,38; 20,43", HERE),
    ("42,38, 20,43", HERE),
    ("42,380012,20,430034", (42.380012, 20.430034)),
    ("-33.8688, 151.2093", (-33.8688, 151.2093)),
    ("−33.8688, −70.6693", (-33.8688, -70.6693)),
    ("42.38N 20.43E", HERE),
    ("N42.38 E20.43", HERE),
    ("N 42.38, E 20.43", HERE),
    ("42.38° N, 20.43° E", HERE),
    ("20.43 E 42.38 N", HERE),
    ("E20.43 N42.38", HERE),
    ("42.38 S, 20.43 W", (-42.38, -20.43)),
    ("42°22'48\"N 20°25'48\"E", HERE),
    ("42° 22′ 48″ N, 20° 25′ 48″ E", HERE),
    ("N 42° 22' 48\" E 20° 25' 48\"", HERE),
    ("20°25'48\"E, 42°22'48\"N", HERE),
    ("42°22’48”N 20°25’48”E", HERE),
    ("42º22'48''N 20º25'48''E", HERE),
    ("42°22.8'N 20°25.8'E", HERE),
    ("42 22 48 N 20 25 48 E", HERE),
    ("N 42 22.8 E 20 25.8", HERE),
    ("42:22:48N 20:25:48E", HERE),
    ("42°22'48\" 20°25'48\"", HERE),
    ("42° 22' 48\" north, 20° 25' 48\" east", HERE),
    ("42.38 veri 20.43 lindje", HERE),
    ("42.38 شمالا 20.43 شرقا", HERE),
    ("٤٢٫٣٨، ٢٠٫٤٣", HERE),
    ("٤٢.٣٨, ٢٠.٤٣", HERE),
    ("۴۲٫۳۸، ۲۰٫۴۳", HERE),
    ("\u200e42.38, 20.43\u200e", HERE),
    ("geo:42.38,20.43", HERE),
    ("geo:42.38,20.43;u=35", HERE),
    ("GEO:42.38,20.43,550?z=17", HERE),
    ("geo:0,0?q=42.38,20.43(Bridge)", HERE),
    ("lat: 42.38 lon: 20.43", HERE),
    ("lon=20.43&lat=42.38", HERE),
    ("Latitude: 42.38, Longitude: 20.43", HERE),
    ('{"lat": 42.38, "lng": 20.43}', HERE),
    ("POINT(20.43 42.38)", HERE),
    ("https://www.google.com/maps/@42.38,20.43,15z", HERE),
    ("https://www.google.com/maps/place/Bridge/@42.1,20.1,17z/data=!3m1!4b1!4m5!3m4!8m2!3d42.38!4d20.43", HERE),
    ("https://maps.google.com/?q=42.38,20.43", HERE),
    ("https://maps.google.com/maps?q=42.38%2C20.43&z=17", HERE),
    ("https://www.google.com/maps/search/?api=1&query=42.38,20.43", HERE),
    ("https://www.google.com/maps/search/42.38,+20.43?entry=tts", HERE),
    ("https://www.openstreetmap.org/?mlat=42.38&mlon=20.43#map=16/42.1/20.1", HERE),
    ("https://www.openstreetmap.org/#map=16/42.38/20.43", HERE),
    ("https://maps.apple.com/?ll=42.38,20.43&q=Pin", HERE),
    ("https://maps.apple.com/place?coordinate=42.38,20.43&name=Pin", HERE),
    ("https://waze.com/ul?ll=42.38,20.43&navigate=yes", HERE),
    ("https://www.google.com/maps/place/42%C2%B022'48.0%22N+20%C2%B025'48.0%22E/@42.1,20.1,17z", HERE),
    ("https://www.google.com/maps/dir/?api=1&destination=42.38%2C20.43", HERE),
    ("https://www.google.com/maps/place/8FJH9CJH%2B22/@42.1,20.1,17z", (42.1, 20.1)),
    ("https://www.openstreetmap.org/directions?from=&to=42.38%2C20.43", HERE),
    ("https://www.openstreetmap.org/export/embed.html?bbox=20.42%2C42.37%2C20.44%2C42.39&marker=42.38%2C20.43", HERE),
    ("https://maps.apple.com/?saddr=1.0,2.0&daddr=42.38,20.43", HERE),
    ("https://www.waze.com/live-map/directions?to=ll.42.38%2C20.43", HERE),
    ("https://www.waze.com/live-map/directions?latlng=42.38%2C20.43", HERE),
    ("https://yandex.com/maps/?ll=20.43%2C42.38&z=15", HERE),
    ("42° 22' 48\" V, 20° 25' 48\" L", HERE),
    ("42.38 V, 20.43 L", HERE),
    ("42.38 J, 20.43 P", (-42.38, -20.43)),
    ("42.38 gjerësi veriore, 20.43 gjatësi lindore", HERE),
    ("٤٢°٢٢'٤٨\" ش ٢٠°٢٥'٤٨\" ق", HERE),
    ("42.38 شمالاً 20.43 شرقاً", HERE),
    ("8GJ29CJJ+22", (42.3800625, 20.4300625)),
    ("lamp at 8gj29cjj+22 is dark", (42.3800625, 20.4300625)),
    ("https://plus.codes/8GJ29CJJ+22", (42.3800625, 20.4300625)),
    ("it is here https://maps.google.com/?q=42.38,20.43 behind the mill", HERE),
    ("rubbish at 42.3801, 20.4301 since Monday", (42.3801, 20.4301)),
    ("the pole stands at 42°22'48\"N 20°25'48\"E, broken", HERE),
    ("89.5, 179.9", (89.5, 179.9)),
    ("-90.0, 180.0", (-90.0, 180.0)),
]

REFUSED = [
    "",
    "hello",
    "42",
    "42, 20",
    "42,20",
    "42 20",
    "91.0, 20.43",
    "42.38, 181.0",
    "142.38, 20.43",
    "0.0, 0.0",
    "geo:0,0",
    "044 123 456",
    "+383 44 123 456",
    "+383.44.123.456",
    "044.123456 049.654321",
    "044/123-456",
    "044,123 049,456",
    "12.05.2024",
    "12.05.2024 14.30",
    "12.05.2024, 13.05.2024",
    "2024-05-12",
    "12/05/2024",
    "1.2.3, 4.5.6",
    "192.168.1.1",
    "open from 8.30 to 16.30",
    "open 8.30 16.30 every day",
    "it cost 12.50, then 13.50",
    "flat 12, house 45",
    "42.38N",
    "42.38N 20.43N",
    "42°75'00\"N 20°25'48\"E",
    "42°22'48\"N",
    "-42.38 N, 20.43 E",
    "https://example.org/12.345,13.456-report",
    "version 1.234.567, 2.345.678",
    "500 mg 2.5 ml",
    "12:30 14:45",
    "https://maps.google.com/?q=42,38,20,43",
    "https://maps.app.goo.gl/AbCdEf123",
    "///filled.count.soap",
    "9CJG+7V",
    "8FVC0000+",
    "2345678+9 = 11",
]


@pytest.mark.parametrize(("text", "place"), ACCEPTED)
def test_reads_every_usual_form(text: str, place: tuple[float, float]) -> None:
    assert parse_coordinates(text) == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_what_is_not_a_place(text: str) -> None:
    assert parse_coordinates(text) is None


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_written_pair_is_read_back(lat: float, lon: float) -> None:
    lat, lon = round(lat, 6), round(lon, 6)
    expected = None if (lat, lon) == (0, 0) else pytest.approx((lat, lon), abs=1e-9)
    assert parse_coordinates(f"{lat:.6f}, {lon:.6f}") == expected
    assert parse_coordinates(f"{lat:.6f} {lon:.6f}".replace(".", ",")) == expected


@given(st.text(max_size=300))
def test_any_text_gives_a_place_on_the_globe_or_none(text: str) -> None:
    place = parse_coordinates(text)
    assert place is None or (-90 <= place[0] <= 90 and -180 <= place[1] <= 180)


@pytest.mark.parametrize(
    "text", ["1" * 4000, "1." * 2000, "1 " * 2000, "N" * 4000, "https://google.com/" + "1,1" * 1300]
)
def test_long_nonsense_is_read_quickly(text: str) -> None:
    import time

    start = time.process_time()
    assert parse_coordinates(text) is None
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("lamp out 42.6612, 21.1690", "lamp out"),
        ("42.6612, 21.1690: lamp out\nsince May", "lamp out\nsince May"),
        ("lamp https://maps.google.com/?q=42.6612,21.1690 out", "lamp out"),
        ("lamp out geo:42.6612,21.1690", "lamp out"),
        ("مصباح ٤٢٫٦٦١٢، ٢١٫١٦٩٠ مكسور", "مصباح مكسور"),
        ("lamp out lat 42.6612 lon 21.1690", "lamp out"),
        ("lamp out 42.6612 N 21.1690 E", "lamp out"),
        ("42.6612, 21.1690", ""),
        ("from 42.6612, 21.1690 to 42.7001, 21.2002", "from to 42.7001, 21.2002"),
        ("lamp 12 of 14 is out", "lamp 12 of 14 is out"),
    ],
)
def test_the_place_is_taken_out_of_a_text_and_nothing_else(text: str, rest: str) -> None:
    assert without_coordinates(text, (42.6612, 21.169)) == rest


@pytest.mark.parametrize(
    ("text", "place", "degrees"),
    [
        ("https://osm.org/go/0EEQjE--", (51.511, 0.055), 0.002),
        ("https://www.openstreetmap.org/go/0EEQjEEb?m=", (51.511, 0.055), 0.002),
        ("https://waze.com/ul/hu4pruydqqvj", (57.64911, 10.40744), 0.00001),
        ("https://www.waze.com/ul/hu4pruydq", (57.6491, 10.4074), 0.0003),
    ],
)
def test_short_links_that_hold_their_point_are_read(text: str, place: tuple[float, float], degrees: float) -> None:
    assert parse_coordinates(text) == pytest.approx(place, abs=degrees)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("https://maps.app.goo.gl/AbCdEf123", "short link"),
        ("here: goo.gl/maps/xyz", "short link"),
        ("https://maps.apple/p/abc", "short link"),
        ("///filled.count.soap", "three words"),
        ("https://what3words.com/filled.count.soap", "three words"),
        ("w3w.co/filled.count.soap", "three words"),
        ("https://maps.google.com/?q=42.38,20.43", ""),
        ("www.police.example.org/report", ""),
        ("behind the school. near the bridge", ""),
    ],
)
def test_what_only_its_own_service_can_look_up_is_told(text: str, what: str) -> None:
    assert unreadable_place(text) == what


DEGREES = st.tuples(st.floats(-89.99, 89.99), st.floats(-179.99, 179.99))


@given(DEGREES)
def test_every_service_gives_the_point_back(point: tuple[float, float]) -> None:
    lat, lon = (f"{degree:.6f}" for degree in point)
    if float(lat) == float(lon) == 0:
        return
    expected = pytest.approx((float(lat), float(lon)), abs=1e-6)
    for link in (
        f"https://www.google.com/maps/@{lat},{lon},15z",
        f"https://maps.google.com/?q={lat},{lon}",
        f"https://www.openstreetmap.org/?mlat={lat}&mlon={lon}#map=16/1.5/2.5",
        f"https://www.openstreetmap.org/#map=16/{lat}/{lon}",
        f"https://maps.apple.com/?ll={lat}%2C{lon}&q=Pin",
        f"https://waze.com/ul?ll={lat}%2C{lon}&navigate=yes",
        f"geo:{lat},{lon};u=20",
    ):
        assert parse_coordinates(link) == expected, link


@given(DEGREES, st.sampled_from(["NSEW", "VJLP", "شجقغ"]))
def test_degrees_minutes_and_seconds_are_read_in_three_languages(point: tuple[float, float], signs: str) -> None:
    north, south, east, west = tuple(signs)
    lat, lon = (round(abs(degree) * 3600) for degree in point)
    if lat == lon == 0:
        return
    text = ", ".join(
        f"{seconds // 3600}°{seconds // 60 % 60}'{seconds % 60}\" {sign}"
        for seconds, sign in ((lat, south if point[0] < 0 else north), (lon, west if point[1] < 0 else east))
    )
    expected = (-lat if point[0] < 0 else lat) / 3600, (-lon if point[1] < 0 else lon) / 3600
    assert parse_coordinates(text) == pytest.approx(expected, abs=1e-6)
