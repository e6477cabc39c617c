"""Telling people: where to, what, and again until it was taken. URLs carry secrets and are never printed."""
