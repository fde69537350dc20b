"""What crawling costs, measured against an invented web on this machine: a module a measurement, `python -m crawlers.bench` in front."""
