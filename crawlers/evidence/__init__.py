"""What proves what was seen: sealed WARC files, a chain of manifests, time stamps, holds, and folders to hand over."""
