"""Speed as ratios within one run: ours against the peer at its best, interleaved, medians. Never asserted in a test."""
