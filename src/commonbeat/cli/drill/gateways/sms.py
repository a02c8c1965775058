"""The channel drill_sms."""

from __future__ import annotations

from commonbeat.cli.drill.loopback import Loopback

channel = Loopback("drill_sms", "phone")
