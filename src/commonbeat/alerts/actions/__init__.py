"""Every change of alerts, subscriptions and how far they have gone out."""
