import io
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from commonbeat.media.images import NotAPicture, PictureTooLarge, make_public_copies

# Pillow warns about damaged EXIF, which these tests make on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def picture_of(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    width, height = size
    ramp = np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    return Image.fromarray(ramp, "RGB").convert(mode)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def segments_of(jpeg: bytes) -> list[int]:
    markers, position = [], 2
    while jpeg[position] == 0xFF and jpeg[position + 1] != 0xDA:
        markers.append(jpeg[position + 1])
        position += 2 + struct.unpack(">H", jpeg[position + 2 : position + 4])[0]
    return markers


def private_jpeg(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SECRET-maker"
    exif[0x0112] = orientation
    exif.get_ifd(0x8825).update({1: "N", 2: (42.0, 22.0, 48.0), 3: "E", 4: (20.0, 25.0, 48.0)})
    data = encoded(
        picture_of(),
        "JPEG",
        exif=exif,
        comment=b"SECRET-comment",
        xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>SECRET-xmp</x:xmpmeta>",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    )
    return data + b"SECRET-trailer"


@pytest.mark.parametrize(
    "data",
    [
        private_jpeg(),
        encoded(picture_of(), "WEBP", exif=b"Exif\x00\x00II*\x00SECRET", xmp=b"SECRET-xmp"),
        encoded(picture_of("P"), "GIF", comment=b"SECRET-comment"),
    ],
)
def test_nothing_but_pixels_survives(data: bytes) -> None:
    assert b"SECRET" in data
    copies = make_public_copies(data)
    for copy in (copies.full, copies.thumb):
        assert b"SECRET" not in copy
        assert b"Exif" not in copy
        assert b"ICC_PROFILE" not in copy
        assert set(segments_of(copy)) <= {0xE0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDD}
        assert not opened(copy).getexif()


def test_png_text_and_exif_are_gone() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "SECRET-author")
    info.add_itxt("XML:com.adobe.xmp", "SECRET-xmp")
    copies = make_public_copies(encoded(picture_of(), "PNG", pnginfo=info))
    assert b"SECRET" not in copies.full + copies.thumb


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    marked = Image.new("RGB", (60, 40), "white")
    marked.paste((255, 0, 0), (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(marked, "JPEG", exif=exif, quality=95)
    copies = make_public_copies(data)
    expected = ImageOps.exif_transpose(opened(data)).convert("RGB")
    shown = opened(copies.full)
    assert shown.size == expected.size == (copies.width, copies.height)
    difference = np.abs(np.asarray(shown, dtype=int) - np.asarray(expected, dtype=int))
    assert difference.mean() < 5


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "JPEG"),
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("RGB", "PNG"),
        ("RGBA", "PNG"),
        ("LA", "PNG"),
        ("L", "PNG"),
        ("P", "PNG"),
        ("1", "PNG"),
        ("P", "GIF"),
        ("RGB", "WEBP"),
        ("RGBA", "WEBP"),
    ],
)
@pytest.mark.parametrize("size", [(64, 48), (1900, 30), (1, 1), (30, 1900)])
def test_every_kind_becomes_rgb(mode: str, kind: str, size: tuple[int, int]) -> None:
    original = picture_of("RGB", size).convert(mode)
    copies = make_public_copies(encoded(original, kind))
    full, thumb = opened(copies.full), opened(copies.thumb)
    assert (full.format, full.mode, max(full.size)) == ("JPEG", "RGB", min(1600, max(size)))
    assert max(thumb.size) <= 320
    if size == (64, 48) and mode not in ("1", "P"):
        expected = np.asarray(picture_of().convert("L" if mode in ("L", "LA") else "RGB").convert("RGB"), dtype=int)
        assert np.abs(np.asarray(full, dtype=int) - expected).mean() < 12


def test_sixteen_bits_of_grey_are_scaled_not_clipped() -> None:
    values = np.full((20, 20), 0x8000, dtype=np.uint16)
    copies = make_public_copies(encoded(Image.fromarray(values), "PNG"))
    assert abs(int(np.asarray(opened(copies.full)).mean()) - 128) < 3


def test_transparent_parts_are_white() -> None:
    copies = make_public_copies(encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"))
    assert np.asarray(opened(copies.full)).min() > 250


def test_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    red, _, blue = np.asarray(opened(make_public_copies(data).full)).mean(axis=(0, 1))
    assert red > 200
    assert blue < 60


def test_a_phones_multi_picture_file_shows_its_first() -> None:
    first, second = Image.new("RGB", (3000, 20), "red"), Image.new("RGB", (3000, 20), "blue")
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    copies = make_public_copies(data)
    red, _, blue = np.asarray(opened(copies.full)).mean(axis=(0, 1))
    assert red > 200
    assert blue < 60
    assert copies.width == 1600


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100_000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(50_000, 50_000), (50_000, 10), (10, 50_000), (8_000, 8_000), (2**31 - 1, 2**31 - 1)])
def test_bombs_are_refused_by_their_header(size: tuple[int, int]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((PictureTooLarge, NotAPicture)):
        make_public_copies(png_header(*size))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_limit_is_the_callers() -> None:
    with pytest.raises(PictureTooLarge):
        make_public_copies(encoded(picture_of(), "PNG"), max_pixels=64 * 48 - 1)
    assert make_public_copies(encoded(picture_of(), "PNG"), max_pixels=64 * 48).width == 64


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"not a picture at all",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><img src=x>",
        b"%PDF-1.7\n",
        b"BM" + b"\0" * 200,
        b"II*\0" + b"\0" * 200,
        b"RIFF\0\0\0\0WAVE" + b"\0" * 100,
        b"<html>" + encoded(picture_of(), "JPEG"),
        b"\0" + encoded(picture_of(), "PNG"),
        encoded(picture_of(), "BMP"),
        encoded(picture_of(), "TIFF"),
        encoded(picture_of(), "PPM"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        make_public_copies(data)


WHOLE = [encoded(picture_of("RGB", (120, 90)), kind) for kind in ("JPEG", "PNG", "WEBP")]


@settings(deadline=None)
@given(st.sampled_from(WHOLE), st.data())
def test_cut_files_are_refused(whole: bytes, data: st.DataObject) -> None:
    # The last bytes hold no pixels (end marker, checksum), so a file without them may pass.
    length = data.draw(st.integers(0, len(whole) - 40))
    with pytest.raises(NotAPicture):
        make_public_copies(whole[:length])


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([*WHOLE, private_jpeg()]), st.data())
def test_damaged_files_are_shown_or_refused(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        copies = make_public_copies(bytes(damaged))
    except (NotAPicture, PictureTooLarge):
        return
    assert copies.full.startswith(b"\xff\xd8")
    assert b"SECRET" not in copies.full


def test_a_path_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(WHOLE[0])
    assert make_public_copies(path) == make_public_copies(WHOLE[0])
    assert len(make_public_copies(path).sha256) == 64


def test_hash_is_near_for_copies_and_far_for_others() -> None:
    rng = np.random.default_rng(7)

    def noise() -> Image.Image:
        patches = rng.integers(0, 255, (9, 12, 3), dtype=np.uint8)
        return Image.fromarray(patches, "RGB").resize((1200, 900), Image.Resampling.BICUBIC)

    def distance(a: int, b: int) -> int:
        return ((a ^ b) & (2**64 - 1)).bit_count()

    one, other = noise(), noise()
    first = make_public_copies(encoded(one, "JPEG", quality=95)).phash
    again = make_public_copies(encoded(one.resize((700, 525)), "JPEG", quality=50)).phash
    assert -(2**63) <= first < 2**63
    assert distance(first, again) <= 5
    assert distance(first, make_public_copies(encoded(other, "JPEG")).phash) > 12


def test_twelve_megapixels_take_little_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rough = Image.fromarray(rng.integers(0, 255, (300, 400, 3), dtype=np.uint8), "RGB")
    path = tmp_path / "photo.jpg"
    rough.resize((4000, 3000), Image.Resampling.BICUBIC).save(path, quality=88)
    code = (
        "import sys, resource\n"
        "from pathlib import Path\n"
        "from commonbeat.media.images import make_public_copies\n"
        "data = Path(sys.argv[1]).read_bytes()\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); copies = make_public_copies(data); print(peak() - before)\n"
        "assert (copies.width, copies.height) == (1600, 1200)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 60_000  # kilobytes


def heic(picture: Image.Image, **options: object) -> bytes:
    pillow_heif.register_heif_opener()
    return encoded(picture, "HEIF", quality=80, **options)


def test_a_telephones_heic_is_read_and_nothing_but_pixels_survives() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET-maker"
    data = heic(picture_of(), exif=exif, xmp=b"<x:xmpmeta>SECRET-xmp</x:xmpmeta>")
    assert data[4:12] == b"ftypheic"
    assert data.count(b"SECRET") == 2
    copies = make_public_copies(data)
    assert b"SECRET" not in copies.full + copies.thumb
    assert (copies.width, copies.height) == (64, 48)
    difference = np.abs(np.asarray(opened(copies.full), dtype=int) - np.asarray(picture_of(), dtype=int))
    assert difference.mean() < 8


def test_exif_does_not_turn_a_heic() -> None:
    # A HEIC is turned by a box of its own; its EXIF repeats the turn, and to obey both would turn it twice.
    exif = Image.Exif()
    exif[0x0112] = 6
    copies = make_public_copies(heic(picture_of(), exif=exif))
    assert (copies.width, copies.height) == (64, 48)


@pytest.mark.parametrize("length", [12, 100, 400, -60])
def test_a_heic_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(NotAPicture):
        make_public_copies(heic(picture_of("RGB", (120, 90)))[:length])


@pytest.mark.parametrize("brand", [b"avif", b"mp42", b"isom", b"qt  "])
def test_what_is_packed_like_a_heic_is_refused(brand: bytes) -> None:
    data = heic(picture_of())
    with pytest.raises(NotAPicture):
        make_public_copies(data[:8] + brand + data[12:])


def test_a_heic_with_too_many_pixels_is_refused() -> None:
    with pytest.raises(PictureTooLarge):
        make_public_copies(heic(picture_of()), max_pixels=64 * 48 - 1)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_damaged_heic_is_shown_or_refused(data: st.DataObject) -> None:
    damaged = bytearray(HEIC)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert make_public_copies(bytes(damaged)).full.startswith(b"\xff\xd8")
    except (NotAPicture, PictureTooLarge):
        return


HEIC = heic(picture_of("RGB", (120, 90)))
