"""What a vault keeps for the others, and the programs it runs. Standard library only: they start in a blink."""
