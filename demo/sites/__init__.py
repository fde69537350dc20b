"""The sites of the small web: each turns a path and a query into a `Reply`, without knowing sockets."""
