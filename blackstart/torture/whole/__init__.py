"""Random losses of whole machines: stock systems, real services, the literal commands. A round takes minutes."""
