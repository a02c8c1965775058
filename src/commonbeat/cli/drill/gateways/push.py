"""The channel drill_push."""

from __future__ import annotations

from commonbeat.cli.drill.loopback import Loopback

channel = Loopback("drill_push", "push")
