"""Target `vhost-user`: any vhost-user-blk back-end, driven by a front-end of our own."""
