"""The whole promise, played through on the lab's machines: provision, lose, rebuild, prove."""
