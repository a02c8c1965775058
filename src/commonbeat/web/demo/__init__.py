"""The demo town's telephone: to try the dialogue without a gateway. Never on a real site."""
