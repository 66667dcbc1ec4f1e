"""A vhost-user front-end under test: the device of a virtual machine is a back-end of ours."""
