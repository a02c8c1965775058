"""A drill: a test alert to people who do not exist, on a site that nobody else uses."""
