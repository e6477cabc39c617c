"""The service on a vault: takes heartbeats, readings and signals, and answers what is known of the fleet.

Thin: what is judged lies in pure modules (heartbeat, replay, status, signal), what is written goes through `write`.
"""
