"""What commands that prune have in common."""
