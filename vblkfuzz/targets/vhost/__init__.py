"""The front-end of the vhost-user protocol, used by targets `qsd` and `vhost-user`."""
