"""What differs between spec and live state, why, and whether a node could be rebuilt now. Looks only, never changes."""
