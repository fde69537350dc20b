"""HTTP only: parameters in, answers out. What is asked of the store stands in `api.queries`."""
