"""The ground floor: clock, ids, cells, coordinates, phone, crypto, text and net; pure Python, no Django."""
