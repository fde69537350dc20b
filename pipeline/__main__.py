"""`jaga`, also `python -m pipeline`."""

from pipeline.cli import bench, claims, classify, doctor, elsewhere, model, replay, rerun, stats, up, work  # noqa: F401
from pipeline.cli.app import app, main

__all__ = ["app", "main"]

if __name__ == "__main__":
    main()
