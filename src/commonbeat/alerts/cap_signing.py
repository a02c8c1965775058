"""Sign our messages, and verify signatures (XML-DSig, enveloped, as CAP 1.2 says in 3.3.4).

RSA and SHA-256, because every verifier knows them, and because the same message then always has the same bytes: each
process of a site may sign for itself, and an ETag holds. Exclusive canonicalisation, so that a message that was put
into another document still verifies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import cryptography.exceptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from commonbeat.alerts.cap import CapError, serialize
from commonbeat.foundation.crypto import keep_key

_BITS = 3072
# Who pins a certificate wants it to stay; what is compromised is replaced by hand.
_VALID_FOR = timedelta(days=3653)
_DSIG = "http://www.w3.org/2000/09/xmldsig#"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its certificate, as PEM."""

    private: bytes
    certificate: bytes


def sign(root: etree._Element, key: SigningKey) -> bytes:
    """Give a message as a signed document; the element that is handed in stays as it is."""
    # Here and below, for most of the time most processes sign and verify nothing.
    from signxml.algorithms import CanonicalizationMethod
    from signxml.signer import XMLSigner

    signer = XMLSigner(
        signature_algorithm="rsa-sha256",
        digest_algorithm="sha256",
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed = signer.sign(root, key=_private(key.private), cert=key.certificate.decode())
    return serialize(signed)


def verified(root: etree._Element, certificate: str, now: datetime) -> etree._Element:
    """Give what the pinned certificate has signed of a message; CapError where it has not.

    Read only what this gives: whatever else stands in the document is not signed. Whose certificate the message names
    is of no interest.
    """
    import signxml.exceptions
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    if root.find(f"{{{_DSIG}}}Signature") is None:
        raise CapError("not signed")
    expected = SignatureConfiguration(location="./", expect_references=1, verification_time=now)
    try:
        result = XMLVerifier().verify(
            # A copy, for a message in a feed hangs in a larger document; the whole of it would be looked at.
            etree.fromstring(etree.tostring(root, with_tail=False), etree.XMLParser(resolve_entities=False)),
            x509_cert=certificate,
            expect_config=expected,
        )
    except (
        signxml.exceptions.SignXMLException,
        cryptography.exceptions.InvalidSignature,
        etree.LxmlError,
        ValueError,
        TypeError,
        KeyError,
        NotImplementedError,
    ):
        raise CapError("wrong signature") from None
    found = result[0] if isinstance(result, list) else result
    if found.signed_xml is None or found.signed_xml.tag != root.tag:
        raise CapError("wrong signature")
    signed: etree._Element = found.signed_xml
    return signed


def is_certificate(pem: str) -> bool:
    """Tell whether a text is one certificate in PEM."""
    try:
        return pem.count("-----BEGIN") == 1 and bool(x509.load_pem_x509_certificate(pem.encode()))
    except ValueError:
        return False


def site_key(folder: Path, *, name: str, now: datetime) -> SigningKey:
    """Give the key of a site from its folder of keys; made on first use, with a certificate that it signs itself."""
    file = folder / "cap.pem"
    try:
        kept = file.read_bytes()
    except FileNotFoundError:
        kept = keep_key(file, _new_key(name, now))
    private, mark, certificate = kept.partition(b"-----BEGIN CERTIFICATE-----")
    return SigningKey(private=private, certificate=mark + certificate)


@lru_cache(maxsize=4)
def _private(pem: bytes) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the key of alerts is not an RSA key")
    return key


def _new_key(name: str, now: datetime) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    # A name of X.509 has 64 characters at most.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64] or "commonbeat")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A reader whose clock is a little behind must not find it not yet valid.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
