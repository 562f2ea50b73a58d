"""Fits what the next decisions rest on, pure: purchases in, baselines and tastes out."""
