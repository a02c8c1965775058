"""The drill's three channels; each is a module, as every channel is."""
