"""May this text be public? Finds what holds a text for a human; decides nothing else and stores nothing."""
