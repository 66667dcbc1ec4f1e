"""Target `vhost-user`: any vhost-user-blk back-end, used through the front-end in `vhost`."""
