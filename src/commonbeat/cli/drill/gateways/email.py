"""The channel drill_email."""

from __future__ import annotations

from commonbeat.cli.drill.loopback import Loopback

channel = Loopback("drill_email", "email")
