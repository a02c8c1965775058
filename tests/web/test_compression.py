"""Pages and data are compressed; pictures are not."""

from __future__ import annotations

import gzip

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from commonbeat.topics.ready_made import install_ready_made
from commonbeat.web.compression import Compression
from tests import make


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/reports/", "/account/login/"])
def test_what_people_read_is_compressed(client: Client, path: str) -> None:
    install_ready_made(make.NOW)
    response = client.get(path, headers={"accept-encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in response.headers["Vary"]
    assert len(response.content) < len(gzip.decompress(response.content))
    assert "Content-Encoding" not in client.get(path).headers


@pytest.mark.parametrize(("kind", "status"), [("image/jpeg", 200), ("text/html", 206)])
def test_pictures_and_parts_are_left_alone(kind: str, status: int) -> None:
    request = RequestFactory().get("/", headers={"accept-encoding": "gzip"})
    answer = HttpResponse(b"x" * 5000, content_type=kind, status=status)
    assert "Content-Encoding" not in Compression(lambda _request: answer).process_response(request, answer).headers


def test_what_maps_draw_is_compressed() -> None:
    request = RequestFactory().get("/", headers={"accept-encoding": "gzip"})
    answer = HttpResponse(b"x" * 5000, content_type="application/geo+json")
    assert Compression(lambda _request: answer).process_response(request, answer).headers["Content-Encoding"] == "gzip"
