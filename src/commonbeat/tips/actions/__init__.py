"""Every change of desks, members and sealed dialogues."""
