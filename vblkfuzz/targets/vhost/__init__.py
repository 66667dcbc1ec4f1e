"""The front-end of the vhost-user protocol: what the guest side of it sends and maps."""
