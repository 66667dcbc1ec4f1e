"""Starting workers: the plan and the messages of a worker, and its process."""
