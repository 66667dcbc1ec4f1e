"""Starting workers: what a worker is told, and how it is started."""
