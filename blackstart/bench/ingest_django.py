"""A peer of bench.ingest: the handler as a Django project has it, for a WSGI server.

In the environment: INGEST_FOLDER, as bench.ingest laid it down, and INGEST_WORDS, which lead to the PostgreSQL. One
view and one model; no middleware, and connections to the database that stay, so that nothing is paid that is not used.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path

from blackstart.serve.tokens import digest
from blackstart.vault.tokens import load

_FOLDER = Path(os.environ["INGEST_FOLDER"])
_WORDS = dict(word.split("=") for word in os.environ["INGEST_WORDS"].split())
_TOKENS = {each.sha256: each for each in load((_FOLDER / "tokens.json").read_text(encoding="utf-8"))}

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _WORDS["dbname"],
            "USER": _WORDS["user"],
            "HOST": _WORDS["host"],
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()


class Heartbeat(models.Model):  # type: ignore[misc]
    """A row of postgres.TABLE."""

    node = models.TextField()
    received = models.DateTimeField(auto_now_add=True)
    said = models.JSONField()

    class Meta:
        app_label = "bench"
        db_table = "heartbeats"


def take(request: HttpRequest) -> HttpResponse:
    token = _TOKENS.get(digest(request.headers["Authorization"].removeprefix("Bearer ").encode()))
    said = json.loads(request.body)
    if token is None or token.node != said["node"]:
        return HttpResponse(status=403)
    Heartbeat.objects.create(node=said["node"], said=said)
    return HttpResponse(status=204)


urlpatterns = [path("api/heartbeats", take)]
application = get_wsgi_application()
