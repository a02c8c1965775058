"""The bill of materials names every locked package and every vendored file, with hash and licence."""

from __future__ import annotations

import json
import re

from tests.architecture.test_files import vendored
from tools import sbom

LOCK = (sbom.REPOSITORY / "requirements.lock").read_text("utf-8")


def test_every_locked_package_and_every_vendored_file_is_listed() -> None:
    bill = sbom.bill()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    packages = {(c["name"], c["version"]): c for c in bill["components"] if c["type"] == "library"}
    pins = {(name.lower(), version) for name, version in re.findall(r"^([\w.-]+)[^=\n]*==([^ ;\\\n]+)", LOCK, re.M)}
    assert packages.keys() == pins and len(pins) > 50
    hashes = [file["hashes"][0]["content"] for c in packages.values() for file in c["externalReferences"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", LOCK))
    files = {c["name"]: c["hashes"][0]["content"] for c in bill["components"] if c["type"] == "file"}
    assert files == vendored()
    refs = [c["bom-ref"] for c in bill["components"]]
    assert len(refs) == len(set(refs))
    assert bill["dependencies"][0]["dependsOn"] == refs


def test_each_has_a_licence_and_every_package_a_hash() -> None:
    for component in sbom.bill()["components"]:
        assert component["licenses"], component["name"]
        assert component.get("hashes") or component["externalReferences"], component["name"]
        for one in component["licenses"]:
            said = one.get("expression") or one["license"].get("id") or one["license"]["name"]
            assert 2 < len(said) < 60, component["name"]


def test_the_same_inputs_give_the_same_bytes() -> None:
    assert json.dumps(sbom.bill()) == json.dumps(sbom.bill())


def test_it_has_the_shape_of_cyclonedx() -> None:
    bill = sbom.bill()
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    for component in bill["components"]:
        assert set(component) <= {
            "type", "bom-ref", "name", "version", "purl", "description", "licenses", "hashes", "externalReferences",
        }  # fmt: skip
        for one in component["licenses"]:
            assert set(one) in ({"expression"}, {"license"})
            # An expression stands alone.
            assert "license" in one or len(component["licenses"]) == 1
