"""The lab's machines under Vagrant: the same image as a box, the same specs, somebody else's way of running them."""
