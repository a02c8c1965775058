"""Put the house together; imported by nobody."""
