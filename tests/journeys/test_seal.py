"""What the browser seals Python opens, and the other way round; both hold to the test vectors."""

from __future__ import annotations

import base64
import io
import mimetypes
import secrets
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from commonbeat.tips import files, receipts, texts, tipkeys
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import new_key_pair
from commonbeat.web.headers import CONTENT_SECURITY_POLICY
from tests.architecture.source import SOURCE
from tests.tips.vectors import TIP, VECTORS, flipped

pytestmark = pytest.mark.browser
SITE = "https://beat.example"
# What the page of tips has to add; nothing else of the policy changes.
WITH_WASM = CONTENT_SECURITY_POLICY + "; script-src 'self' 'wasm-unsafe-eval'"
# Bytes go to and fro in base64, in whatever an argument or answer is made of: {"b64": …}.
SCRIPT = """async (given) => {
  const s = await import('/static/tips/seal.js');
  await s.ready;
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const text = (bytes) => { let t = ''; for (const b of bytes) t += String.fromCharCode(b); return btoa(t); };
  const read = (v) => v && v.b64 !== undefined ? bytes(v.b64) : Array.isArray(v) ? v.map(read)
    : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, w]) => [k, read(w)])) : v;
  const write = (v) => v instanceof Uint8Array ? {b64: text(v)} : Array.isArray(v) ? v.map(write)
    : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, w]) => [k, write(w)])) : v;
  const all = async (pieces) => new Uint8Array(await new Blob(await Array.fromAsync(pieces)).arrayBuffer());
  const told = async (f) => { try { return await f(); } catch (e) { return e.constructor.name; } };
  return write(await RUNS(s, read(given), all, told));
}"""


@pytest.fixture
def site(page: Page) -> Page:
    """Open a page with the policy that a page of tips has, its files from the source."""
    answer_with(page, WITH_WASM)
    page.goto(f"{SITE}/")
    return page


def answer_with(page: Page, policy: str) -> None:
    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(SITE).lstrip("/")
        file = SOURCE / "web" / path
        headers = {"Content-Security-Policy": policy}
        if not path:
            route.fulfill(body="<!doctype html><title>Tips</title>", content_type="text/html", headers=headers)
        elif file.is_file():
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            route.fulfill(body=file.read_bytes(), content_type=kind, headers=headers)
        else:
            route.fulfill(status=404)

    page.route(f"{SITE}/**", answer)


def run(page: Page, body: str, **given: Any) -> Any:
    """Run `body` (of s: the module, g: what is given, all, told) in the page; bytes travel both ways."""
    script = SCRIPT.replace("RUNS", f"(async (s, g, all, told) => {{ {body} }})")
    return _read(page.evaluate(script, _write(given)))


def _write(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: _write(one) for name, one in value.items()}
    return [_write(one) for one in value] if isinstance(value, list) else value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"b64"}:
            return base64.b64decode(value["b64"])
        return {name: _read(one) for name, one in value.items()}
    return [_read(one) for one in value] if isinstance(value, list) else value


def both(pair: Any) -> dict[str, bytes]:
    return {"public": pair.public, "private": pair.private}


def test_the_browser_holds_to_the_vectors(site: Page) -> None:
    v = VECTORS
    keys = {
        name: {"public": bytes.fromhex(one["public"]), "private": bytes.fromhex(one["private"])}
        for name, one in v["keys"].items()
    }
    boxes = {one["name"]: bytes.fromhex(one["box"]) for one in v["boxes"]}
    found = run(
        site,
        """
        const tip = g.tip, tipPublic = g.keys.tip.public, r = g.receipt;
        const [forMember, forSource] = [g.boxes['tip key for member'], g.boxes['tip key for source']];
        const own = s.openAsMember(forMember, {tip, member: g.member, own: g.keys.member, tipPublic});
        const sourced = s.openAsSource(forSource, {tip, own: s.sourcePair(r.letters), tipPublic});
        const purposes = {'to desk': s.PURPOSE.textToDesk, 'to source': s.PURPOSE.textToSource};
        const fileKey = s.openFileKey(g.keyBox, {tip, number: 2, tipKey: own});
        return {
          own: own.private, sourced: sourced.private,
          texts: g.texts.map(({bytes, direction, number}) =>
            s.openText(bytes, {purpose: purposes[direction], tip, number, tipKey: own})),
          file: await all(s.openedPieces(new Blob([g.sealed]), fileKey.key, {tip, number: 2})), fileKey,
          shown: s.showReceipt(r.letters), read: r.typed.map(s.readReceipt), lookUp: s.lookUp(r.letters),
          misspelt: await Promise.all(r.misspelt.map((m) => told(() => s.readReceipt(m.typed)))),
          words: r.misspelt.map((m) => { try { s.readReceipt(m.typed); } catch (e) { return e.word; } }),
          lengths: g.lengths.map(([n]) => s.sealedLength(n)),
        };
        """,
        tip=TIP,
        member=bytes.fromhex(v["keys"]["member"]["id"]),
        keys=keys,
        boxes=boxes,
        texts=[one | {"bytes": bytes.fromhex(one["box"])} for one in v["texts"]],
        keyBox=bytes.fromhex(v["file"]["key_box"]),
        sealed=base64.b64decode(v["file"]["sealed_base64"]),
        receipt=v["receipt"],
        lengths=v["padded_lengths"],
    )
    assert found["own"] == found["sourced"] == keys["tip"]["private"]
    assert found["texts"] == [one["text"] for one in v["texts"]]
    assert found["file"].hex() == v["file"]["content"]
    assert found["fileKey"] == {"key": bytes.fromhex(v["file"]["key"]), "name": v["file"]["name"]}
    assert found["shown"] == v["receipt"]["shown"] and found["lookUp"].hex() == v["receipt"]["look_up"]
    assert set(found["read"]) == {v["receipt"]["letters"]}
    assert set(found["misspelt"]) == {"Misspelt"} and found["words"] == [m["word"] for m in v["receipt"]["misspelt"]]
    assert found["lengths"] == [files.sealed_length(length) for length, _ in v["padded_lengths"]]


def test_what_the_browser_seals_python_opens(site: Page) -> None:
    escrow = new_key_pair()
    members = {secrets.token_bytes(16): new_key_pair() for _ in range(3)}
    content = secrets.token_bytes(files.ROOM + 77)
    text = "Te ura, pas mesnatës.\r\n" + "ل" * 900
    made = run(
        site,
        """
        const receipt = s.newReceipt();
        const members = g.members;
        const {tip, pair, forMembers, forSource, forEscrow} =
          s.newTip({members, sourcePublic: s.sourcePair(receipt).public, escrowPublic: g.escrow});
        const at = {tip, number: 0, tipPublic: pair.public}, key = s.newFileKey();
        return {
          receipt, tip, tipPublic: pair.public, forMembers, forSource, forEscrow, lookUp: s.lookUp(receipt),
          box: s.sealText(g.text, {...at, purpose: s.PURPOSE.textToDesk}),
          keyBox: s.sealFileKey(key, 'ura.jpg', {...at, number: 4}),
          file: await all(s.sealedPieces(new Blob([g.content]), key, {tip, number: 4})),
          empty: await all(s.sealedPieces(new Blob([]), key, {tip, number: 5})),
        };
        """,
        members=[{"id": member, "public": own.public} for member, own in members.items()],
        escrow=escrow.public,
        text=text,
        content=content,
    )
    tip, public, receipt = made["tip"], made["tipPublic"], made["receipt"]
    assert receipts.read_receipt(receipt) == receipt and receipts.look_up(receipt) == made["lookUp"]
    source = receipts.source_pair(receipt)
    opened = tipkeys.open_as_source(made["forSource"], tip=tip, own=source, tip_public=public)
    assert tipkeys.open_as_escrow(made["forEscrow"], tip=tip, own=escrow, tip_public=public) == opened
    for (member, own), box in zip(members.items(), made["forMembers"], strict=True):
        assert tipkeys.open_as_member(box, tip=tip, member=member, own=own, tip_public=public) == opened
    assert texts.open_to_desk(made["box"], tip=tip, number=0, tip_key=opened) == text
    with pytest.raises(Unopenable):
        texts.open_to_source(made["box"], tip=tip, number=0, tip_key=opened)
    key, name = files.open_file_key(made["keyBox"], tip=tip, number=4, tip_key=opened)
    assert name == "ura.jpg"
    assert b"".join(files.opened_blocks(io.BytesIO(made["file"]), key, tip=tip, number=4)) == content
    assert b"".join(files.opened_blocks(io.BytesIO(made["empty"]), key, tip=tip, number=5)) == b""
    assert len(made["file"]) == files.sealed_length(len(content))


def test_what_python_seals_the_browser_opens(site: Page) -> None:
    receipt, tip, member, own = receipts.new_receipt(), tipkeys.new_tip_id(), secrets.token_bytes(16), new_key_pair()
    pair, kept = tipkeys.new_tip_key(
        tip, members={member: own.public}, source_public=receipts.source_pair(receipt).public
    )
    content, key, sealed = secrets.token_bytes(3 * files.ROOM), files.new_file_key(), io.BytesIO()
    files.seal_file(io.BytesIO(content), sealed, key, tip=tip, number=1)
    found = run(
        site,
        """
        const {tip, tipPublic} = g, receipt = s.readReceipt(g.typed);
        const tipKey = s.openAsSource(g.forSource, {tip, own: s.sourcePair(receipt), tipPublic});
        const asMember = s.openAsMember(g.forMember, {tip, member: g.member, own: g.own, tipPublic});
        const {key, name} = s.openFileKey(g.keyBox, {tip, number: 1, tipKey});
        const text = s.openText(g.box, {purpose: s.PURPOSE.textToSource, tip, number: 5, tipKey});
        const file = await all(s.openedPieces(new Blob([g.sealed]), key, {tip, number: 1}));
        return {text, name, same: asMember.private, file};
        """,
        typed=receipts.show_receipt(receipt).upper(),
        tip=tip,
        member=member,
        own=both(own),
        tipPublic=kept.public,
        forSource=kept.for_source,
        forMember=kept.for_members[member],
        box=texts.seal_to_source("Faleminderit.", tip=tip, number=5, tip_public=pair.public),
        keyBox=files.seal_file_key(key, "hartë.pdf", tip=tip, number=1, tip_public=pair.public),
        sealed=sealed.getvalue(),
    )
    assert (found["text"], found["name"]) == ("Faleminderit.", "hartë.pdf")
    assert found["same"] == pair.private and found["file"] == content


def test_the_browser_refuses_what_python_refuses(site: Page) -> None:
    pair, key = new_key_pair(), files.new_file_key()
    box = texts.seal_to_source("Here.", tip=TIP, number=0, tip_public=pair.public)
    target = io.BytesIO()
    files.seal_file(io.BytesIO(bytes(files.ROOM + 9)), target, key, tip=TIP, number=0)
    sealed = target.getvalue()
    end = 24 + files.CHUNK_BYTES + 17
    found = run(
        site,
        """
        const {tip, tipKey} = g, purpose = s.PURPOSE.textToSource;
        const text = (box, more) => told(() => s.openText(box, {purpose, tip, number: 0, tipKey, ...more}));
        const pieces = (data, more) => s.openedPieces(new Blob([data]), g.key, {tip, number: 0, ...more});
        const file = (data, more) => told(async () => (await all(pieces(data, more))).length);
        return {
          right: [await text(g.box), await file(g.sealed)],
          texts: [await text(g.box, {number: 1}), await text(g.box, {purpose: s.PURPOSE.textToDesk}),
                  await text(g.box, {tip: new Uint8Array(16)}), await text(g.box, {tipKey: s.newPair()}),
                  ...await Promise.all(g.boxes.map((b) => text(b)))],
          files: [await file(g.sealed, {number: 1}), await file(g.sealed, {tip: new Uint8Array(16)}),
                  ...await Promise.all(g.files.map((f) => file(f)))],
          long: await told(() => s.sealText('x'.repeat(524288), {purpose, tip, number: 0, tipPublic: tipKey.public})),
          words: ['hibi', ' HIBI.', 'h1b1', 'dada', ''].map((w) => s.isWordOf('hibi'.repeat(8), w)),
        };
        """,
        tip=TIP,
        tipKey=both(pair),
        key=key,
        box=box,
        boxes=[b"", b"\x01", box[:-1], box + b"\0", *(flipped(box, place) for place in (0, 1, 33, 60, len(box) - 1))],
        sealed=sealed,
        files=[b"", sealed[:24], sealed[:end], sealed[:-1], sealed + b"\0", sealed[:24] + sealed[end:]]
        + [flipped(sealed, place) for place in (0, 24, 30, end, len(sealed) - 1)],
    )
    assert found["right"] == ["Here.", files.ROOM + 9]
    assert set(found["texts"]) == set(found["files"]) == {"Unopenable"}
    assert found["long"] == "TooLong" and found["words"] == [True, True, True, False, False]


def test_without_leave_to_compile_it_says_so_and_the_page_can_go_on(page: Page) -> None:
    answer_with(page, CONTENT_SECURITY_POLICY)
    page.goto(f"{SITE}/")
    script = "import('/static/tips/seal.js').then((s) => s.ready).then(() => 'ready', () => 'refused')"
    assert page.evaluate(script) == "refused"
