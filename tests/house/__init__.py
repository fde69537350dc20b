"""The house holds itself to its own rules: papers that match the code, and a repository that is safe to publish."""
