"""Streams: connections that stay open and tell of posts as they are written. What an event says is the page objects' business."""
